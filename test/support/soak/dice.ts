// Owns chance in a soak: a row of numbers that a seed plays again.
export type Dice = ReturnType<typeof createDice>;

export function createDice(seed: number) {
  let state = seed >>> 0;
  const roll = (): number => {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    roll,
    below: (limit: number): number => Math.floor(roll() * limit),
    happens: (share: number): boolean => roll() < share,
    between: (least: number, most: number): number => least + roll() * (most - least),
  };
}
