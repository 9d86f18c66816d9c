/** Which random programs: VMI86_SEED, or another every run; it is in the tests' names. */

export const SEED = Number(process.env['VMI86_SEED'] ?? Math.floor(Math.random() * 1e9));
/** VMI86_COUNT: how many, where the default is too few. */
export const COUNT = process.env['VMI86_COUNT'] ? Number(process.env['VMI86_COUNT']) : undefined;
