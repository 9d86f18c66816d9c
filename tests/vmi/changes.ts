/** Random lists of operations on address spaces, each announced as Linux announces it. */
import type { Random } from '../native/random.ts';
import { ACCESSED, DIRTY, PRESENT, USER, WRITABLE, type Paging } from './guest.ts';
import {
  LARGE_ENTRY,
  LINK,
  PAGES_EACH,
  POOL,
  POOL_PAGES,
  ROOT_FLAGS,
  SHARED,
  TABLE_FLAGS,
  TABLES_EACH,
  type Operation,
  type Space,
  type Spaces,
} from './spaces.ts';

const CR0 = 0x80050033;
const WP = 0x10000;
const PGE = 0x80;
const PROBES = ['read', 'write', 'run', 'userRead', 'userWrite', 'userRun'] as const;
const SHARED_PAGES = 4;

/** The same as a kernel does it that knows no hypervisor. */
function natively([name, a, b, c]: Operation, current: Space): Operation[] {
  switch (name) {
    case 'switchTo':
      return [['switchNatively', a]];
    case 'set':
    case 'setLong':
      return [['store', a, b]];
    case 'invalidate':
      return [['invalidateNatively', a]];
    case 'flush':
      return [['switchNatively', current.root]];
    case 'setCr0':
      return [['setCr0Natively', a]];
    case 'setCr4':
      return [['setCr4Natively', a]];
    case 'update':
    case 'updateLong':
    case 'allocate':
    case 'release':
    case 'lazy':
      return [];
    default:
      return [[name, a, b, c]];
  }
}

export class Changes {
  readonly operations: Operation[] = [];
  private current: Space;
  private wp = true;
  private pge = true;

  constructor(
    private readonly random: Random,
    private readonly spaces: Spaces,
    private readonly kernelPart: readonly (readonly [number, number])[],
    private readonly paging: Paging,
    /** Without: nothing but what hardware asks for. */
    private readonly announced = true,
  ) {
    this.current = spaces.all[0]!;
    spaces.start();
    this.emit('switchTo', this.current.root);
  }

  private emit(...operation: Operation): void {
    if (this.announced) this.operations.push(operation);
    else this.operations.push(...natively(operation, this.current));
  }

  /** So many changes and probes. */
  make(count: number): readonly Operation[] {
    const kinds: [weight: number, make: () => void][] = [
      [26, () => this.switch()],
      [40, () => this.probe()],
      [14, () => this.changePage()],
      [5, () => this.changeLink()],
      [3, () => this.replaceTable()],
      [2, () => this.replaceRoot()],
      [2, () => this.changePointer()],
      [5, () => this.changeShared()],
      [3, () => this.changeCode()],
      [3, () => this.flush()],
      [0.5, () => this.changeMode()],
      [1, () => this.lazy()],
    ];
    const total = kinds.reduce((sum, [weight]) => sum + weight, 0);
    for (let i = 0; i < count; i++) {
      let at = this.random.int(2 * total) / 2;
      kinds.find(([weight]) => (at -= weight) < 0)![1]();
    }
    for (const space of this.spaces.all) {
      this.switch(space);
      for (let i = 0; i < TABLES_EACH * PAGES_EACH; i++) {
        this.emit('read', this.spaces.address(Math.floor(i / PAGES_EACH), i % PAGES_EACH));
      }
    }
    return this.operations;
  }

  private switch(to = this.random.pick(this.spaces.all)): void {
    this.current = to;
    this.emit(this.random.chance(0.02) ? 'switchNatively' : 'switchTo', to.root);
  }

  private place(): { t: number; p: number } {
    return { t: this.random.int(TABLES_EACH), p: this.random.int(PAGES_EACH) };
  }

  private probe(): void {
    const { random } = this;
    const { t, p } = this.place();
    const address = random.chance(0.15)
      ? SHARED + 0x1000 * random.int(SHARED_PAGES)
      : this.spaces.address(t, p);
    this.emit(random.pick(PROBES), address, random.bits());
  }

  private pageEntry(): number {
    const { random } = this;
    if (random.chance(0.15)) return 0;
    let bits = PRESENT;
    for (const [bit, chance] of [
      [WRITABLE, 0.8],
      [USER, 0.8],
      [ACCESSED, 0.5],
      [DIRTY, 0.5],
    ] as const) {
      if (random.chance(chance)) bits |= bit;
    }
    return (POOL + 0x1000 * random.int(POOL_PAGES)) | bits;
  }

  /** Stores an entry and tells of it, in one of the two ways. */
  private store(at: number, value: number, flags: number): void {
    const { pae } = this.spaces;
    if (this.random.chance(0.6)) {
      this.emit(pae ? 'setLong' : 'set', value, at, flags);
    } else {
      this.emit('store', value, at);
      this.emit(pae ? 'updateLong' : 'update', 0, at, flags);
    }
  }

  private changePage(): void {
    const space = this.random.chance(0.3) ? this.current : this.random.pick(this.spaces.all);
    const { t, p } = this.place();
    this.store(this.spaces.entry(space.tables[t]!, p), this.pageEntry(), 1);
    if (space === this.current) this.invalidate(this.spaces.address(t, p));
  }

  private invalidate(address: number): void {
    this.emit(this.random.chance(0.7) ? 'invalidate' : 'invalidateNatively', address);
  }

  /** A table is taken out, put back, exchanged with its neighbour, or a large page takes its place. */
  private changeLink(): void {
    const { random, spaces } = this;
    const space = random.pick(spaces.all);
    const t = random.int(TABLES_EACH);
    const at = spaces.directoryEntry(space, t);
    const other = random.int(TABLES_EACH);
    switch (random.int(4)) {
      case 0:
        this.store(at, 0, 2);
        break;
      case 1:
        this.store(at, LARGE_ENTRY, 2);
        break;
      case 2:
        [space.tables[t], space.tables[other]] = [space.tables[other]!, space.tables[t]!];
        this.store(spaces.directoryEntry(space, other), space.tables[other]! | LINK, 2);
        this.store(at, space.tables[t]! | LINK, 2);
        break;
      default:
        this.store(at, space.tables[t]! | LINK, 2);
    }
    if (space === this.current) this.emit('flush', 1);
  }

  /** A new table, filled before it is linked; the old one is released and may serve as anything. */
  private replaceTable(): void {
    const { random, spaces } = this;
    const space = random.pick(spaces.all);
    const t = random.int(TABLES_EACH);
    const table = spaces.take();
    this.emit('zero', table);
    this.emit('allocate', table >>> 12, 0, TABLE_FLAGS);
    for (let p = 0; p < PAGES_EACH; p++) {
      this.emit('store', this.pageEntry(), spaces.entry(table, p));
    }
    this.store(spaces.directoryEntry(space, t), table | LINK, 2);
    if (space === this.current) this.emit('flush', 1);
    this.emit('release', space.tables[t]! >>> 12, TABLE_FLAGS);
    spaces.give(space.tables[t]!);
    space.tables[t] = table;
  }

  /** A process ends and another begins: new root, and tables that may be the old one's. */
  private replaceRoot(): void {
    const { random, spaces } = this;
    const others = spaces.all.filter((space) => space !== this.current);
    const space = random.pick(others);
    // Nobody tells of what becomes of the entries of a space that ends.
    for (const table of space.tables) {
      if (random.chance(0.5)) this.emit('store', 0, spaces.entry(table, random.int(PAGES_EACH)));
      this.emit('release', table >>> 12, TABLE_FLAGS);
      spaces.give(table);
    }
    if (spaces.pae) {
      this.emit('store', 0, spaces.pointerEntry(space));
      this.emit('release', space.directory >>> 12, ROOT_FLAGS | 0x10);
      spaces.give(space.directory);
    }
    this.emit('release', space.root >>> 12, ROOT_FLAGS);
    spaces.give(space.root);
    space.root = spaces.take();
    space.directory = spaces.pae ? spaces.take() : space.root;
    this.emit('zero', space.root);
    for (const [at, value] of this.kernelPart) this.emit('store', value, space.root + at);
    this.emit('allocate', space.root >>> 12, 0x220, ROOT_FLAGS | 0x20);
    if (spaces.pae) {
      this.emit('zero', space.directory);
      this.emit('allocate', space.directory >>> 12, 0, ROOT_FLAGS | 0x10);
      this.store(spaces.pointerEntry(space), space.directory | PRESENT, 4);
    }
    for (let t = 0; t < TABLES_EACH; t++) {
      space.tables[t] = spaces.take();
      this.emit('zero', space.tables[t]);
      this.emit('allocate', space.tables[t]! >>> 12, 0, TABLE_FLAGS);
      this.store(spaces.directoryEntry(space, t), space.tables[t]! | LINK, 2);
      for (let p = 0; p < PAGES_EACH; p++) {
        if (random.chance(0.7)) {
          this.store(spaces.entry(space.tables[t]!, p), this.pageEntry(), 1);
        }
      }
    }
  }

  /** PAE: a pointer entry of a space that is away is cleared without a word, or given a new page. */
  private changePointer(): void {
    const { random, spaces } = this;
    if (!spaces.pae) return;
    const space = random.pick(spaces.all);
    const at = spaces.pointerEntry(space);
    if (space !== this.current && random.chance(0.4)) {
      this.emit('store', random.chance(0.5) ? 0 : space.directory | PRESENT, at);
      return;
    }
    const directory = spaces.take();
    this.emit('zero', directory);
    for (let t = 0; t < TABLES_EACH; t++) {
      this.emit('store', space.tables[t]! | LINK, directory + 8 * t);
    }
    this.emit('allocate', directory >>> 12, 0, ROOT_FLAGS | 0x10);
    this.store(at, directory | PRESENT, 4);
    this.emit('release', space.directory >>> 12, ROOT_FLAGS | 0x10);
    spaces.give(space.directory);
    space.directory = directory;
    if (space === this.current) this.emit('switchTo', space.root);
  }

  private changeShared(): void {
    const page = this.random.int(SHARED_PAGES);
    const address = SHARED + 0x1000 * page;
    this.store(this.sharedEntry(address), this.pageEntry(), 1);
    this.invalidate(address);
  }

  sharedEntry: (address: number) => number = () => 0;

  /** Code in a page of the pool is written, through the mapping of all memory. */
  private changeCode(): void {
    const page = POOL + 0x1000 * this.random.int(POOL_PAGES);
    const value = 0x20000 + this.random.int(0x10000);
    // mov eax, value: its first three bytes of four
    this.emit('store', (0xb8 | (value << 8)) >>> 0, page);
    this.emit('store', value, page + 0x100);
  }

  private flush(): void {
    this.emit('flush', this.random.pick([0, 1, 1, 1, 1, 1, 2, 3]));
  }

  private changeMode(): void {
    if (this.random.chance(0.5)) {
      this.wp = !this.wp;
      this.emit('setCr0', this.wp ? CR0 : CR0 & ~WP);
    } else {
      this.pge = !this.pge;
      const cr4 = this.paging === 'PAE' ? 0x6b0 : 0x690;
      this.emit('setCr4', this.pge ? cr4 : cr4 & ~PGE);
    }
  }

  private lazy(): void {
    this.emit('lazy', this.random.int(3));
  }
}
