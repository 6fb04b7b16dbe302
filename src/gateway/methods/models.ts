// Owns `models.list`: which models there are and which of them could answer now. Never a key, never an address.
import { z } from 'zod';
import { method, type Table } from './method.ts';

export const modelMethods: Table = {
  'models.list': method('operator.read', z.object({}), ({ backend }) => {
    const { primary } = backend.models;
    const models = backend.models.list().map(({ id, name, provider, contextTokens, available }) => ({
      // As upstream's clients expect it: they put the provider in front themselves.
      id: id.startsWith(`${provider}/`) ? id.slice(provider.length + 1) : id,
      name,
      provider,
      contextWindow: contextTokens,
      available,
      tags: id === primary ? ['default'] : [],
    }));
    return { models };
  }),
};
