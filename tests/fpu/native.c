/*
 * Runs single x87 instructions on the real processor (gcc -m32 -O1 -static or not).
 *
 * stdin: batches. A batch is a header {u32 length of the instruction, u8 bytes[16], u32 count} and
 * `count` cases; stdout gets as many results in the same layout. The instruction may address memory
 * as [EDI]; EAX and the flags go in and come out.
 *
 * A case: u8 image[108] (FSAVE format), u32 eflags, u32 eax, u8 memory[108]. In the result the image's
 * instruction pointer is 1 when it is the instruction's, its data pointer when it is the operand's.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct image {
  uint32_t control, status, tags, ip, cs_opcode, dp, ds;
  uint8_t registers[80];
};

struct test {
  struct image image;
  uint32_t eflags, eax;
  uint8_t memory[108];
} __attribute__((packed));

struct header {
  uint32_t length;
  uint8_t bytes[16];
  uint32_t count;
} __attribute__((packed));

enum { ROOM = 4096 };

static struct test cases[ROOM];

int main(void) {
  uint8_t *code = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (code == MAP_FAILED) return 1;
  struct header h;
  while (fread(&h, sizeof h, 1, stdin) == 1) {
    if (h.length > sizeof h.bytes) return 2;
    uint8_t *p = code;
    *p++ = 0xdd, *p++ = 0x26; /* frstor [esi] */
    uint8_t *start = p;
    memcpy(p, h.bytes, h.length), p += h.length;
    *p++ = 0xdd, *p++ = 0x36; /* fnsave [esi] */
    *p++ = 0xc3;
    while (h.count) {
      uint32_t n = h.count < ROOM ? h.count : ROOM;
      if (fread(cases, sizeof *cases, n, stdin) != n) return 3;
      for (struct test *t = cases; t < cases + n; t++) {
        uint32_t eax = t->eax, flags = t->eflags;
        __asm__ volatile(
            "pushl %1; popfl; call *%2; pushfl; popl %1; cld"
            : "+a"(eax), "+b"(flags)
            : "d"(code), "S"(&t->image), "D"(t->memory)
            : "memory", "ecx", "cc");
        t->eax = eax, t->eflags = flags;
        if (t->image.ip == (uint32_t)(uintptr_t)start) t->image.ip = 1;
        if (t->image.dp == (uint32_t)(uintptr_t)t->memory) t->image.dp = 1;
      }
      if (fwrite(cases, sizeof *cases, n, stdout) != n) return 4;
      h.count -= n;
    }
    fflush(stdout);
  }
  return 0;
}
