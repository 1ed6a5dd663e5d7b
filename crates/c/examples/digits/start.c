// How a Cortex-M4F starts: it fills memory, turns the floating-point unit on, and calls main. For the board MPS2 AN386,
// whose memories an386.ld has. Output goes to the debugger, or emulator, by semihosting.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

extern char data_start[], data_end[], data_load[], bss_start[], bss_end[], top_of_stack[];
int main(void);
void initialise_monitor_handles(void); // of newlib's rdimon
void reset(void);
void fault(void);

static void run(void) {
    initialise_monitor_handles();
    exit(main());
}

// It must not use the floating-point unit before that is on, and is compiled without.
void reset(void) {
    memcpy(data_start, data_load, (size_t)(data_end - data_start));
    memset(bss_start, 0, (size_t)(bss_end - bss_start));
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20;
    __asm volatile("dsb\n\tisb");
    run();
}

void fault(void) { abort(); }

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    top_of_stack, (const void *)reset, (const void *)fault, (const void *)fault,
    (const void *)fault, (const void *)fault, (const void *)fault,
};

// newlib calls them for constructors; there are none.
void _init(void);
void _fini(void);
void _init(void) {}
void _fini(void) {}
