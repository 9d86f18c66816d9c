// Finds the region that the translator gets wrong: fewer and fewer regions are made until with one
// less the machine is again like the interpreter's (docs/debugging.md). Same options as
// scripts/lockstep.mjs.
process.argv.push('--bisect');
await import('./lockstep.mjs');
