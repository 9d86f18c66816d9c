/*
 * The processor's own answer to single MMX and SSE instructions.
 *
 * stdin:  blocks of { u32 length, u8 code[16], u32 count, count x struct in }
 * stdout: count x struct out for each
 *
 * The instruction finds its operands in xmm0, xmm1, mm0, mm1, eax, ecx and at [edi]. gcc -m32.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

struct in {
  uint8_t xmm0[16], xmm1[16], memory[16];
  uint64_t mm0, mm1;
  uint32_t eax, ecx, mxcsr;
  uint16_t offset;  /* edi = a 16-byte boundary plus this */
  uint16_t use_mmx; /* 0: x87 state is FNINIT's with TOP = 3, and mm0, mm1 are not loaded */
};

struct out {
  uint8_t xmm0[16], xmm1[16], memory[16];
  uint64_t mm0, mm1;
  uint32_t eax, ecx, eflags, mxcsr;
  uint16_t status, tags, exponent; /* x87 status word, FXSAVE tags, exponent field of mm0 */
  uint8_t signal, code;
};

static uint8_t data[64] __attribute__((aligned(64)));
uint8_t image[512] __attribute__((aligned(16)));
uint32_t saved_sp, saved_flags, saved_eax, saved_ecx;
uint32_t operand_address;
uint8_t *instruction;
static sigjmp_buf recover;
static volatile uint32_t fault_mxcsr;
static volatile int fault_code;

void run(const struct in *in);
__asm__(
    ".text\n"
    "run:\n"
    "  pushl %ebx\n pushl %esi\n pushl %edi\n pushl %ebp\n"
    "  movl 20(%esp), %ebp\n"
    "  fninit\n fincstp\n fincstp\n fincstp\n"
    "  cmpw $0, 78(%ebp)\n"
    "  je 1f\n"
    "  movq 48(%ebp), %mm0\n movq 56(%ebp), %mm1\n"
    "1: movups (%ebp), %xmm0\n movups 16(%ebp), %xmm1\n"
    "  movl 64(%ebp), %eax\n movl 68(%ebp), %ecx\n"
    "  ldmxcsr 72(%ebp)\n"
    "  movl operand_address, %edi\n"
    "  pushl $0x202\n popfl\n"
    "  call *instruction\n"
    "  movl %eax, saved_eax\n movl %ecx, saved_ecx\n"
    "  pushfl\n popl saved_flags\n"
    "  fxsave image\n"
    "  pushl $0x1f80\n ldmxcsr (%esp)\n addl $4, %esp\n"
    "  fninit\n"
    "  popl %ebp\n popl %edi\n popl %esi\n popl %ebx\n"
    "  ret\n");

static void on_signal(int number, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
  /* The FXSAVE image follows the 112 bytes of the FNSAVE one (32-bit signal frame). */
  memcpy(image, (uint8_t *)uc->uc_mcontext.fpregs + 112, 512);
  memcpy((void *)&fault_mxcsr, image + 24, 4);
  fault_code = info->si_code;
  siglongjmp(recover, number);
}

static int read_all(void *to, size_t size) {
  for (size_t done = 0; done < size;) {
    ssize_t n = read(0, (char *)to + done, size - done);
    if (n <= 0) return 0;
    done += n;
  }
  return 1;
}

static void flush(const void *from, size_t size) {
  for (size_t done = 0; done < size;) {
    ssize_t n = write(1, (const char *)from + done, size - done);
    if (n <= 0) _exit(1);
    done += n;
  }
}

int main(void) {
  static uint8_t alternate[1 << 16];
  stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
  sigaltstack(&stack, 0);
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigaction(SIGFPE, &action, 0);
  sigaction(SIGSEGV, &action, 0);
  sigaction(SIGILL, &action, 0);
  sigaction(SIGBUS, &action, 0);
  instruction = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (instruction == MAP_FAILED) return 1;

  static struct in ins[4096];
  static struct out outs[4096];
  struct {
    uint32_t length;
    uint8_t code[16];
    uint32_t count;
  } block;
  while (read_all(&block, sizeof block)) {
    memcpy(instruction, block.code, block.length);
    instruction[block.length] = 0xc3;
    while (block.count) {
      uint32_t n = block.count < 4096 ? block.count : 4096;
      if (!read_all(ins, n * sizeof ins[0])) return 1;
      for (uint32_t i = 0; i < n; i++) {
        struct out *out = &outs[i];
        memset(out, 0, sizeof *out);
        memcpy(data + ins[i].offset, ins[i].memory, 16);
        operand_address = (uint32_t)(data + ins[i].offset);
        saved_eax = ins[i].eax;
        saved_ecx = ins[i].ecx;
        saved_flags = 0x202;
        int number = sigsetjmp(recover, 1);
        if (!number) run(&ins[i]);
        out->signal = number;
        if (number) out->code = fault_code;
        memcpy(out->xmm0, image + 160, 16);
        memcpy(out->xmm1, image + 176, 16);
        memcpy(out->memory, data + ins[i].offset, 16);
        memcpy(&out->mm0, image + 32, 8);
        memcpy(&out->mm1, image + 48, 8);
        memcpy(&out->mxcsr, image + 24, 4);
        memcpy(&out->status, image + 2, 2);
        out->tags = image[4];
        memcpy(&out->exponent, image + 40, 2);
        out->eax = saved_eax;
        out->ecx = saved_ecx;
        out->eflags = saved_flags;
      }
      flush(outs, n * sizeof outs[0]);
      block.count -= n;
    }
  }
  return 0;
}
