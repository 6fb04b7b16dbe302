// Owns the list of all methods: one table per noun, put together once. What is not here does not exist.
import { pairingMethods } from './access/pairing.ts';
import { trustMethods } from './access/trust.ts';
import { mcpMethods } from './acts/mcp.ts';
import { outboxMethods } from './acts/outbox.ts';
import { panicMethods } from './acts/panic.ts';
import { runningMethods } from './acts/running.ts';
import { usageMethods } from './acts/usage.ts';
import { agentMethods } from './agent.ts';
import { agentsMethods } from './agents.ts';
import { approvalMethods } from './approvals.ts';
import { channelMethods } from './channels.ts';
import { chatMethods } from './chat.ts';
import { configMethods } from './config.ts';
import { healthMethods } from './health.ts';
import { logMethods } from './logs.ts';
import type { Method } from './method.ts';
import { modelMethods } from './models.ts';
import { sessionMethods } from './sessions.ts';
import { statusMethods } from './status.ts';
import { subscriptionMethods } from './subscriptions.ts';
import { auditMethods } from './workspace/audit.ts';
import { memoryMethods } from './workspace/memory.ts';
import { sandboxMethods } from './workspace/sandbox.ts';
import { undoMethods } from './workspace/undo.ts';

export function allMethods(): ReadonlyMap<string, Method> {
  const tables = [
    healthMethods,
    statusMethods,
    agentMethods,
    agentsMethods,
    chatMethods,
    sessionMethods,
    subscriptionMethods,
    modelMethods,
    configMethods,
    logMethods,
    approvalMethods,
    outboxMethods,
    panicMethods,
    usageMethods,
    mcpMethods,
    runningMethods,
    channelMethods,
    pairingMethods,
    undoMethods,
    memoryMethods,
    sandboxMethods,
    auditMethods,
    trustMethods,
  ];
  return new Map(tables.flatMap((table) => Object.entries(table)));
}
