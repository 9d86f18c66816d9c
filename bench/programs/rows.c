/*
 * What `npm run bench -- --paravirt` runs in the guest: one loop a row, of what a kernel does often
 * and a hypervisor can make cheap. No libc: i386 system calls by INT 80h alone, which every kernel
 * since 2.6.21 has.
 *
 *   rows getpid|fork|pipe|fault|switch COUNT
 */

enum {
  SYS_exit = 1,
  SYS_fork = 2,
  SYS_read = 3,
  SYS_write = 4,
  SYS_waitpid = 7,
  SYS_execve = 11,
  SYS_getpid = 20,
  SYS_pipe = 42,
  SYS_munmap = 91,
  SYS_sched_yield = 158,
  SYS_mmap2 = 192,
};

#define PAGE 4096
#define PAGES 64

static long call(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "0"(number), "b"(a), "c"(b), "d"(c)
                   : "memory");
  return result;
}

/* Private, anonymous, readable and writable. */
static char *map(long size) {
  long result;
  __asm__ volatile("push %%ebp; xor %%ebp, %%ebp; int $0x80; pop %%ebp"
                   : "=a"(result)
                   : "0"(SYS_mmap2), "b"(0), "c"(size), "d"(3), "S"(0x22), "D"(-1)
                   : "memory");
  return (char *)result;
}

static void leave(int status) {
  for (;;) call(SYS_exit, status, 0, 0);
}

static void fail(void) {
  call(SYS_write, 2, (long)"rows: failed\n", 13);
  leave(1);
}

static void await(long pid) {
  int status = 0;
  if (call(SYS_waitpid, pid, (long)&status, 0) != pid || status) fail();
}

static void getpid(long count) {
  while (count--) call(SYS_getpid, 0, 0, 0);
}

static void fork_exec(long count, char *self) {
  char *arguments[] = {self, 0};
  char *environment[] = {0};
  while (count--) {
    long pid = call(SYS_fork, 0, 0, 0);
    if (pid < 0) fail();
    if (pid == 0) {
      call(SYS_execve, (long)self, (long)arguments, (long)environment);
      leave(127);
    }
    await(pid);
  }
}

static void pass(int from, int to) {
  char byte = 0;
  if (call(SYS_read, from, (long)&byte, 1) != 1) leave(0);
  if (call(SYS_write, to, (long)&byte, 1) != 1) leave(1);
}

/* One byte to the other process and back, through two pipes. */
static void pipes(long count) {
  int there[2], back[2];
  char byte = 0;
  if (call(SYS_pipe, (long)there, 0, 0) || call(SYS_pipe, (long)back, 0, 0)) fail();
  long rounds = count;
  long pid = call(SYS_fork, 0, 0, 0);
  if (pid < 0) fail();
  if (pid == 0) {
    while (rounds--) pass(there[0], back[1]);
    leave(0);
  }
  while (count--) {
    if (call(SYS_write, there[1], (long)&byte, 1) != 1) fail();
    if (call(SYS_read, back[0], (long)&byte, 1) != 1) fail();
  }
  await(pid);
}

/* COUNT first touches of pages. */
static void fault(long count) {
  while (count > 0) {
    char *pages = map(PAGES * PAGE);
    if ((unsigned long)pages > -PAGE) fail();
    for (int i = 0; i < PAGES && count > 0; i++, count--) pages[i * PAGE] = 1;
    call(SYS_munmap, (long)pages, PAGES * PAGE, 0);
  }
}

/* Two processes that each give way, after touching some pages of their own. */
static void switches(long count) {
  char *pages = map(PAGES * PAGE);
  if ((unsigned long)pages > -PAGE) fail();
  long pid = call(SYS_fork, 0, 0, 0);
  if (pid < 0) fail();
  for (long i = 0; i < count / 2; i++) {
    for (int page = 0; page < PAGES; page++) pages[page * PAGE]++;
    call(SYS_sched_yield, 0, 0, 0);
  }
  if (pid == 0) leave(0);
  await(pid);
}

static long number(const char *text) {
  long value = 0;
  while (*text >= '0' && *text <= '9') value = value * 10 + *text++ - '0';
  return value;
}

__attribute__((used)) static void rows(long *stack) {
  long count = stack[0];
  char **arguments = (char **)(stack + 1);
  /* What fork_exec runs. */
  if (count < 3) leave(0);
  long times = number(arguments[2]);
  switch (arguments[1][0]) {
    case 'g': getpid(times); break;
    case 'p': pipes(times); break;
    case 's': switches(times); break;
    case 'f':
      if (arguments[1][1] == 'o') fork_exec(times, arguments[0]);
      else fault(times);
      break;
    default: fail();
  }
  leave(0);
}

__asm__(".globl _start\n_start: mov %esp, %eax\n push %eax\n call rows\n");
