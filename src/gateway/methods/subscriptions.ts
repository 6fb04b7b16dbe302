// Owns which events a connection wants beyond those that all get: changes of the session list, messages of one session.
import { z } from 'zod';
import { invalidRequest, Refusal } from '../protocol/errors.ts';
import { sessionKey } from '../protocol/session-key.ts';
import { method, type Table } from './method.ts';

const one = z.object({ key: sessionKey });

export const subscriptionMethods: Table = {
  'sessions.subscribe': method('operator.read', z.object({}), ({ connection }) => {
    connection.wantsSessions = true;
    return { subscribed: true };
  }),
  'sessions.unsubscribe': method('operator.read', z.object({}), ({ connection }) => {
    connection.wantsSessions = false;
    return { subscribed: false };
  }),
  'sessions.messages.subscribe': method('operator.read', one, ({ connection }, { key }) => {
    if (connection.watch(key)) return { subscribed: true, key };
    throw new Refusal(
      invalidRequest('this connection watches as many sessions as it may', { code: 'TOO_MANY_SUBSCRIPTIONS' }),
    );
  }),
  'sessions.messages.unsubscribe': method('operator.read', one, ({ connection }, { key }) => {
    connection.unwatch(key);
    return { subscribed: false, key };
  }),
};
