// Owns `agents.list`: which agents there are and what they think with.
import { z } from 'zod';
import { method, type Table } from './method.ts';

export const agentsMethods: Table = {
  'agents.list': method('operator.read', z.object({}), ({ backend }) => ({
    defaultId: 'main',
    mainKey: 'main',
    scope: 'per-sender',
    ownership: 'sole',
    selectionRequired: false,
    agents: backend.agents.list().map(({ id, name, model, workspace }) => ({
      id,
      kind: 'agent',
      name,
      workspace,
      model: { primary: model },
    })),
  })),
};
