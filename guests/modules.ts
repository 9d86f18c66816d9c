// Kernel modules and what they need, from the text that depmod writes (modules.dep) or, where a
// package is unpacked without depmod, from each module's own .modinfo "depends=".
// Owns the resolution only; the caller reads files.

/** Reads the `depends=` field of a module's .modinfo section: names of modules, dashes as underscores. */
export function dependsOf(module: Uint8Array): string[] {
  const text = latin1(module);
  const match = /\0depends=([^\0]*)\0/.exec(text);
  return match?.[1] ? match[1].split(',').map(moduleName) : [];
}

/** `kernel/drivers/ata/ata_piix.ko` -> `ata_piix`; the kernel takes dash and underscore for the same. */
export function moduleName(path: string): string {
  return path.replace(/^.*\//, '').replace(/\.ko$/, '').replaceAll('-', '_');
}

/**
 * The wanted modules and all that they need, each after its own needs: the order of insmod.
 * A name that `read` answers with undefined is built into the kernel and left out.
 */
export function insertionOrder(
  wanted: string[],
  read: (name: string) => Uint8Array | undefined,
): string[] {
  const order: string[] = [];
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    const module = read(name);
    if (!module) return;
    dependsOf(module).forEach(visit);
    order.push(name);
  };
  wanted.map(moduleName).forEach(visit);
  return order;
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes);
}
