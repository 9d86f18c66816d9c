/*
 * Runs static 32-bit ELF images on the real processor, each in a process of its own, and tells how
 * each ended: image names come in on stdin, a line of JSON each goes out on stdout. A companion of
 * scripts/suite-images.mjs; harness.c is for code sequences.
 *
 * An image ends with the first signal it raises (a HLT is #GP outside the kernel) or with the first
 * system call it tries, which is not executed.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 5, SEGMENTS = 16 };

static void die(const char *what, const char *name) {
  fprintf(stderr, "recorder: %s: %s: %s\n", name, what, strerror(errno));
  exit(3);
}

static void on_alarm(int signal) { (void)signal; }

/* The words of writable segments that are not zero. */
static void print_memory(int pid, const char *name) {
  char path[64];
  int file = open(name, O_RDONLY);
  Elf32_Ehdr header;
  if (file < 0 || read(file, &header, sizeof header) != sizeof header) die("read", name);
  snprintf(path, sizeof path, "/proc/%d/mem", pid);
  int memory = open(path, O_RDONLY);
  if (memory < 0) die("open memory", name);
  const char *comma = "";
  printf("\"memory\":[");
  for (int i = 0; i < header.e_phnum && i < SEGMENTS; i++) {
    Elf32_Phdr segment;
    off_t at = header.e_phoff + i * header.e_phentsize;
    if (pread(file, &segment, sizeof segment, at) != sizeof segment) die("read", name);
    if (segment.p_type != PT_LOAD || !(segment.p_flags & PF_W)) continue;
    unsigned start = segment.p_vaddr & ~3u, end = (segment.p_vaddr + segment.p_memsz + 3) & ~3u;
    unsigned *words = malloc(end - start);
    if (pread(memory, words, end - start, start) != (ssize_t)(end - start)) die("memory", name);
    for (unsigned w = 0; w < (end - start) / 4; w++) {
      if (!words[w]) continue;
      printf("%s[%u,%u]", comma, start + 4 * w, words[w]);
      comma = ",";
    }
    free(words);
  }
  printf("]");
  close(memory);
  close(file);
}

static void print_state(int pid, const char *name) {
  struct user_regs_struct r;
  struct user_fpxregs_struct fpu;
  if (ptrace(PTRACE_GETREGS, pid, 0, &r) < 0) die("registers", name);
  if (ptrace(PTRACE_GETFPXREGS, pid, 0, &fpu) < 0) die("FPU registers", name);
  printf("\"registers\":[%lu,%lu,%lu,%lu,%lu,%lu,%lu,%lu],", r.eax, r.ecx, r.edx, r.ebx, r.esp,
         r.ebp, r.esi, r.edi);
  printf("\"eip\":%lu,\"eflags\":%lu,", r.eip, r.eflags);
  printf("\"segments\":[%ld,%ld,%ld,%ld,%ld,%ld],", r.xes & 0xffff, r.xcs & 0xffff, r.xss & 0xffff,
         r.xds & 0xffff, r.xfs & 0xffff, r.xgs & 0xffff);
  printf("\"fpu\":\"");
  for (unsigned i = 0; i < 416 && i < sizeof fpu; i++) printf("%02x", ((unsigned char *)&fpu)[i]);
  printf("\",");
  print_memory(pid, name);
}

static void record(const char *name) {
  int pid = fork();
  if (pid < 0) die("fork", name);
  if (pid == 0) {
    personality(ADDR_NO_RANDOMIZE);
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    execl(name, name, (char *)0);
    _exit(127);
  }
  int status;
  if (waitpid(pid, &status, 0) < 0) die("wait", name);
  if (!WIFSTOPPED(status)) {
    printf("{\"image\":\"%s\",\"end\":\"not executable\"}\n", name);
    return;
  }
  ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  ptrace(PTRACE_SYSEMU, pid, 0, 0);
  alarm(SECONDS);
  if (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    printf("{\"image\":\"%s\",\"end\":\"time\"}\n", name);
  } else if (WIFSTOPPED(status)) {
    siginfo_t info = {0};
    int number = WSTOPSIG(status);
    if (number == (SIGTRAP | 0x80)) {
      printf("{\"image\":\"%s\",\"end\":\"system call\",", name);
    } else {
      ptrace(PTRACE_GETSIGINFO, pid, 0, &info);
      printf("{\"image\":\"%s\",\"end\":\"signal\",\"signal\":%d,\"code\":%d,\"address\":%lu,", name,
             number, info.si_code, (unsigned long)info.si_addr);
    }
    print_state(pid, name);
    printf("}\n");
  }
  alarm(0);
  kill(pid, SIGKILL);
  waitpid(pid, &status, 0);
}

int main(void) {
  char name[4096];
  struct sigaction action = {.sa_handler = on_alarm};
  sigaction(SIGALRM, &action, 0);
  while (fgets(name, sizeof name, stdin)) {
    name[strcspn(name, "\n")] = 0;
    record(name);
  }
  return 0;
}
