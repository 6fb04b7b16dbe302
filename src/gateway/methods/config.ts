// Owns `config.get`: the configuration with every secret taken out before it gets here. The text of the file is never
// sent: comments can hold secrets that no schema knows.
import { z } from 'zod';
import { method, type Table } from './method.ts';

export const configMethods: Table = {
  'config.get': method('operator.read', z.object({}), ({ backend }) => {
    const { path, exists, config, hash } = backend.config.redacted();
    return {
      path,
      includedPaths: [],
      exists,
      raw: null,
      parsed: config,
      sourceConfig: config,
      resolved: config,
      runtimeConfig: config,
      config,
      valid: true,
      hash,
      configRevisionHash: hash,
      issues: [],
      warnings: [],
      legacyIssues: [],
    };
  }),
};
