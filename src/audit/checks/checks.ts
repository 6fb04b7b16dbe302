// Owns the list of checks. What stands here is asked by every audit; nothing else is.
import type { Check } from '../check.ts';
import { DEEP_CHECKS } from './deep/deep.ts';
import { HOST_CHECKS } from './host/host.ts';
import { MONEY_CHECKS } from './money/budget.ts';
import { CONVERSATION_CHECKS } from './people/conversations.ts';
import { LISTED_CHECKS } from './people/listed.ts';
import { POLICY_CHECKS } from './people/policies.ts';
import { ELSEWHERE_CHECKS } from './powers/elsewhere.ts';
import { EXEC_CHECKS } from './powers/exec.ts';
import { OUTSIDE_CHECKS } from './powers/outside.ts';
import { SANDBOX_CHECKS } from './powers/sandbox.ts';
import { TOOL_CHECKS } from './powers/tools.ts';
import { BIND_CHECKS } from './reachable/bind.ts';
import { SECRET_CHECKS } from './reachable/secrets.ts';
import { WAY_CHECKS } from './reachable/ways.ts';
import { RECORD_CHECKS } from './records/records.ts';
import { SCHEDULE_CHECKS } from './records/schedule.ts';
import { STATE_CHECKS } from './secrets/secrets.ts';
import { SUPPLY_CHECKS } from './supply/skills.ts';

export const CHECKS: readonly Check[] = [
  ...BIND_CHECKS,
  ...SECRET_CHECKS,
  ...WAY_CHECKS,
  ...POLICY_CHECKS,
  ...LISTED_CHECKS,
  ...CONVERSATION_CHECKS,
  ...SANDBOX_CHECKS,
  ...EXEC_CHECKS,
  ...TOOL_CHECKS,
  ...OUTSIDE_CHECKS,
  ...ELSEWHERE_CHECKS,
  ...STATE_CHECKS,
  ...SUPPLY_CHECKS,
  ...MONEY_CHECKS,
  ...RECORD_CHECKS,
  ...SCHEDULE_CHECKS,
  ...DEEP_CHECKS,
  ...HOST_CHECKS,
];
