/** VMI86_COUNT: how many random programs, where the default is too few. */
export const COUNT = process.env['VMI86_COUNT'] ? Number(process.env['VMI86_COUNT']) : undefined;
