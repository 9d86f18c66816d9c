/*
 * Runs 32-bit user-mode code sequences on the real processor. A static i386 program without libc:
 * cases come in on stdin, outcomes go out on stdout (both formats: harness.ts), many a process.
 *
 * A case ends with whatever signal it raises; the usual one is the SIGTRAP of the INT3 bytes that
 * fill the code pages. Everything about the processor is then in the signal frame: general
 * registers, trap number, error code and CR2 in the sigcontext, x87 and SSE in the FXSAVE image.
 *
 * The addresses of the pages are fixed, so that an emulator can offer the same ones.
 */
typedef unsigned int u32;
typedef unsigned short u16;
typedef unsigned char u8;

enum {
  LOW = 0x00008000, LOW_SIZE = 0x1000,    /* reachable with 16-bit addresses */
  CODE = 0x10000000, CODE_SIZE = 0x2000,  /* what lies around each region is not mapped */
  DATA = 0x20000000, DATA_SIZE = 0x2000,
  FIXED = 0x20002000, FIXED_SIZE = 0x1000, /* read-only, right after the data */
  STACK = 0x30000000, STACK_SIZE = 0x1000,
  /* A case that does not end is cut off: a timer is set every so many cases. It counts the processor's
     time, not the machine's: a process that has to wait is not one that does not end. */
  SECONDS = 2, CASES_PER_TIMER = 256,
  TRAP_TIMEOUT = 254,
};

enum { ITIMER_VIRTUAL = 1, SIGVTALRM = 26 };

enum { SYS_EXIT = 1, SYS_READ = 3, SYS_WRITE = 4, SYS_SETITIMER = 104, SYS_MPROTECT = 125,
       SYS_MUNMAP = 91, SYS_RT_SIGACTION = 174, SYS_SIGALTSTACK = 186, SYS_MMAP2 = 192 };

static int system_call(int number, u32 a, u32 b, u32 c, u32 d, u32 e, u32 f) {
  int result;
  u32 six[2] = {number, f};
  __asm__ volatile(
      "pushl %%ebp; movl 4(%%eax), %%ebp; movl (%%eax), %%eax; int $0x80; popl %%ebp"
      : "=a"(result) : "a"(six), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
  return result;
}

static void die(const char *message) {
  u32 length = 0;
  while (message[length]) length++;
  system_call(SYS_WRITE, 2, (u32)message, length, 0, 0, 0);
  system_call(SYS_EXIT, 3, 0, 0, 0, 0, 0);
  __builtin_unreachable();
}

/* --- streams --- */

static u8 input[1 << 16], output[1 << 16];
static u32 input_at, input_end, output_end;

static void flush(void) {
  u32 at = 0;
  while (at < output_end) {
    int n = system_call(SYS_WRITE, 1, (u32)output + at, output_end - at, 0, 0, 0);
    if (n == -4) continue;
    if (n <= 0) die("native harness: cannot write the results\n");
    at += n;
  }
  output_end = 0;
}

/* Returns 0 at a clean end of the input. */
static int get(void *where, u32 length) {
  u8 *to = where;
  u32 done = 0;
  while (done < length) {
    if (input_at == input_end) {
      int n = system_call(SYS_READ, 0, (u32)input, sizeof input, 0, 0, 0);
      if (n == -4) continue;
      if (n <= 0) {
        if (done) die("native harness: the input ends inside a case\n");
        return 0;
      }
      input_at = 0;
      input_end = n;
    }
    to[done++] = input[input_at++];
  }
  return 1;
}

static void put(const void *from, u32 length) {
  if (output_end + length > sizeof output) flush();
  for (u32 i = 0; i < length; i++) output[output_end++] = ((const u8 *)from)[i];
}

/* --- a case and its outcome --- */

struct header {
  u32 regs[8]; /* EAX ECX EDX EBX ESP EBP ESI EDI */
  u32 eflags, entry, code_length, fill, patches;
};

struct outcome {
  u32 trap, error, cr2, regs[8], eip, eflags, segments[6]; /* ES CS SS DS FS GS */
  u32 changes;
};

static struct header the_case;
static u8 fpu[512] __attribute__((aligned(16)));
static struct outcome result;
static u8 fpu_out[512] __attribute__((aligned(16)));
static u8 signal_stack[32768] __attribute__((aligned(64)));
extern const u8 __executable_start[], etext[];
u32 saved_esp;
/* A case is running. */
u32 inside;

/* The memory before a case: xorshift32 words (fill.ts does the same). */
static u32 next_word(u32 *state) {
  u32 x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

/* Regions in the order they are filled. */
static const u32 regions[][2] = {
    {LOW, LOW_SIZE}, {DATA, DATA_SIZE}, {FIXED, FIXED_SIZE}, {STACK, STACK_SIZE}};
static u32 before[(LOW_SIZE + DATA_SIZE + FIXED_SIZE + STACK_SIZE) / 4];

/* Copies the FXSAVE image and the registers out of the signal frame, then leaves for run(). */
struct context {
  u32 flags, link, stack[3];
  u32 gs, fs, es, ds, edi, esi, ebp, esp, ebx, edx, ecx, eax;
  u32 trap, error, eip, cs, eflags, esp_at_signal, ss, fpstate, oldmask, cr2;
};

/* Returns 0 where the timer interrupted this program, between two cases: it is to go on. */
__attribute__((used)) static int caught(int signal, void *info, struct context *c) {
  (void)info;
  if (signal == SIGVTALRM && c->eip >= (u32)__executable_start && c->eip < (u32)etext) return 0;
  if (!inside) die("native harness: a fault of its own\n");
  inside = 0;
  result.trap = signal == SIGVTALRM ? TRAP_TIMEOUT : c->trap;
  result.error = c->error;
  result.cr2 = c->trap == 14 ? c->cr2 : 0;
  result.regs[0] = c->eax, result.regs[1] = c->ecx, result.regs[2] = c->edx;
  result.regs[3] = c->ebx, result.regs[4] = c->esp, result.regs[5] = c->ebp;
  result.regs[6] = c->esi, result.regs[7] = c->edi;
  result.eip = c->eip;
  result.eflags = c->eflags;
  result.segments[0] = c->es & 0xffff, result.segments[1] = c->cs & 0xffff;
  result.segments[2] = c->ss & 0xffff, result.segments[3] = c->ds & 0xffff;
  result.segments[4] = c->fs & 0xffff, result.segments[5] = c->gs & 0xffff;
  /* 112 bytes of FSAVE format come first. */
  const u32 *image = (const u32 *)(c->fpstate + 112);
  for (u32 i = 0; i < 128; i++) ((u32 *)fpu_out)[i] = c->fpstate ? image[i] : 0;
  return 1;
}

/* The code under test may have set AC, NT or DF: clear them before any compiled code runs. */
__asm__(
    ".globl handler\n"
    "handler:\n"
    "  pushl $2\n  popfl\n"
    "  pushl 12(%esp)\n  pushl 12(%esp)\n  pushl 12(%esp)\n"
    "  call caught\n"
    "  addl $12, %esp\n"
    "  testl %eax, %eax\n  jz resume\n"
    "  movl saved_esp, %esp\n"
    "  popal\n"
    "  ret\n"
    "resume:\n"
    "  popl %eax\n" /* the return address: rt_sigreturn wants the frame as it was */
    "  movl $173, %eax\n  int $0x80\n"
    ".globl enter\n"
    "enter:\n"
    "  pushal\n"
    "  movl %esp, saved_esp\n"
    "  movl $1, inside\n"
    "  xorl %eax, %eax\n  movl %eax, %fs\n  movl %eax, %gs\n"
    "  fxrstor fpu_image\n"
    "  pushl the_header + 32\n  popfl\n"
    "  movl the_header + 0, %eax\n"
    "  movl the_header + 4, %ecx\n"
    "  movl the_header + 8, %edx\n"
    "  movl the_header + 12, %ebx\n"
    "  movl the_header + 16, %esp\n"
    "  movl the_header + 20, %ebp\n"
    "  movl the_header + 24, %esi\n"
    "  movl the_header + 28, %edi\n"
    "  jmp *the_header + 36\n");
extern void handler(void);
extern void enter(void);
extern struct header the_header __attribute__((alias("the_case")));
extern u8 fpu_image[512] __attribute__((alias("fpu")));

static void fill(u32 seed) {
  u32 state = seed ? seed : 1, at = 0;
  for (u32 r = 0; r < sizeof regions / sizeof *regions; r++) {
    u32 *words = (u32 *)regions[r][0];
    for (u32 i = 0; i < regions[r][1] / 4; i++) words[i] = before[at++] = next_word(&state);
  }
}

static void patch(u32 address, u32 length) {
  u8 bytes[4096];
  if (length > sizeof bytes) die("native harness: a patch is longer than a page\n");
  get(bytes, (length + 3) & ~3u);
  u32 at = 0;
  for (u32 r = 0; r < sizeof regions / sizeof *regions; at += regions[r++][1]) {
    u32 start = regions[r][0], offset = address - start;
    if (address < start || offset + length > regions[r][1]) continue;
    for (u32 i = 0; i < length; i++)
      ((u8 *)address)[i] = ((u8 *)before)[at + offset + i] = bytes[i];
    return;
  }
  die("native harness: a patch lies outside the memory\n");
}

static void protect_fixed(u32 protection) {
  if (system_call(SYS_MPROTECT, FIXED, FIXED_SIZE, protection, 0, 0, 0) < 0)
    die("native harness: mprotect failed\n");
}

static void map(u32 address, u32 size, u32 protection) {
  /* MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS */
  if ((u32)system_call(SYS_MMAP2, address, size, protection, 0x32, -1, 0) != address)
    die("native harness: mmap failed (vm.mmap_min_addr above 32768?)\n");
}

static void catch_signal(u32 number) {
  /* SA_SIGINFO | SA_ONSTACK | SA_NODEFER */
  struct { u32 handler, flags, restorer, mask[2]; } action = {(u32)handler, 0x48000004, 0, {0, 0}};
  if (system_call(SYS_RT_SIGACTION, number, (u32)&action, 0, 8, 0, 0) < 0)
    die("native harness: sigaction failed\n");
}

/* It goes off again and again: once may be between two cases. */
static void set_timer(void) {
  u32 times[4] = {SECONDS, 0, SECONDS, 0};
  if (system_call(SYS_SETITIMER, ITIMER_VIRTUAL, (u32)times, 0, 0, 0, 0) < 0)
    die("native harness: setitimer failed\n");
}

static void run_case(void) {
  u8 *code = (u8 *)the_case.entry;
  if (the_case.entry < CODE || the_case.entry + the_case.code_length > CODE + CODE_SIZE)
    die("native harness: the code lies outside its pages\n");
  for (u32 i = 0; i < CODE_SIZE / 4; i++) ((u32 *)CODE)[i] = 0xcccccccc;
  u8 padding[4];
  get(code, the_case.code_length);
  get(padding, -the_case.code_length & 3);
  protect_fixed(3);
  fill(the_case.fill);
  for (u32 i = 0; i < the_case.patches; i++) {
    u32 at[2];
    get(at, 8);
    patch(at[0], at[1]);
  }
  protect_fixed(1);

  enter();

  u32 total = 0, at = 0;
  for (u32 r = 0; r < sizeof regions / sizeof *regions; r++)
    for (u32 i = 0; i < regions[r][1] / 4; i++)
      total += ((u32 *)regions[r][0])[i] != before[at++];
  result.changes = total;
  put(&result, sizeof result);
  put(fpu_out, 512);
  at = 0;
  for (u32 r = 0; r < sizeof regions / sizeof *regions; r++)
    for (u32 i = 0; i < regions[r][1] / 4; i++, at++) {
      u32 change[2] = {regions[r][0] + 4 * i, ((u32 *)regions[r][0])[i]};
      if (change[1] != before[at]) put(change, 8);
    }
}

__attribute__((used)) static void main_loop(void) {
  /* The stack and the vDSO lie at random places, where a wild address may hit them. */
  system_call(SYS_MUNMAP, 0xf0000000, 0x0fffe000, 0, 0, 0, 0);
  map(LOW, LOW_SIZE, 3);
  map(CODE, CODE_SIZE, 7);
  map(DATA, DATA_SIZE, 3);
  map(FIXED, FIXED_SIZE, 3);
  map(STACK, STACK_SIZE, 3);
  u32 stack[3] = {(u32)signal_stack, 0, sizeof signal_stack};
  if (system_call(SYS_SIGALTSTACK, (u32)stack, 0, 0, 0, 0, 0) < 0)
    die("native harness: sigaltstack failed\n");
  static const u8 signals[] = {4, 5, 7, 8, 11, SIGVTALRM, 31}; /* ILL TRAP BUS FPE SEGV VTALRM SYS */
  for (u32 i = 0; i < sizeof signals; i++) catch_signal(signals[i]);
  for (u32 count = 0; get(&the_case, sizeof the_case); count++) {
    if (count % CASES_PER_TIMER == 0 || result.trap == TRAP_TIMEOUT) set_timer();
    get(fpu, 512);
    run_case();
  }
  flush();
  system_call(SYS_EXIT, 0, 0, 0, 0, 0, 0);
}

u8 own_stack[65536] __attribute__((aligned(16)));

__asm__(".globl _start\n_start:\n  movl $own_stack + 65536, %esp\n  call main_loop\n");
