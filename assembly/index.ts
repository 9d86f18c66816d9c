// The core's interface: everything the host and the translator may call, and nothing else.
export { run, start, flushBlocks } from './interp/run';
export { setHeatLimit, confirmPage, findNext, mustLook, nextPhysical } from './interp/step';
export { endRecord } from './generated/interpret';
export { quickSegment } from './interp/segments';
export { resetProcessor as reset } from './cpu/reset';
export { updateMode, setSegment } from './cpu/segments';
export { updateUnits } from './cpu/control';
export { flushTlb, newGeneration, peekFetch } from './mem/tlb';
export { setSavedHeat } from './decode/decode';
export { hideFeatures } from './cpu/cpuid';
export { findBlock, invalidateCode } from './mem/codepages';
export { getEflags, setEflags } from './ops/flags';
export * from './generated/vmi';
export * from './paravirt/quick';
export * from './ops/fpu/quick';
export * from './ops/fpu/masked';
export {
  doubles_plain,
  low_doubles_plain,
  low_singles_plain,
  singles_plain,
} from './ops/sse/lanes';
