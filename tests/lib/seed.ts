/**
 * Which random programs the generated tests make: the same in every run, so that a red run is red
 * again and blames the change under it. VMI86_SEED=7 for others, VMI86_SEED=random for new ones;
 * the seed is printed either way.
 */

const USUAL = 20_261_120;

function chosen(text: string | undefined): number {
  if (text === undefined || text === '') return USUAL;
  if (text === 'random') return 1 + Math.floor(Math.random() * 1e9);
  const seed = Number(text);
  if (!Number.isSafeInteger(seed))
    throw new Error(`VMI86_SEED=${text} is neither a whole number nor random`);
  return seed;
}

export const SEED = chosen(process.env['VMI86_SEED']);
