/* The two functions of the C++ library that a dependency of ours uses: they let one thread run the initializer of a
 * local static variable (the Itanium C++ ABI's, which every compiler here follows). */
#include <sched.h>

int __cxa_guard_acquire(char *guard) {
    for (;;) {
        char seen = 0;
        /* The first byte is what compiled code looks at: not zero means initialized. The second is ours. */
        if (__atomic_load_n(guard, __ATOMIC_ACQUIRE)) return 0;
        if (__atomic_compare_exchange_n(guard + 1, &seen, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)) return 1;
        sched_yield();
    }
}

void __cxa_guard_release(char *guard) {
    __atomic_store_n(guard, 1, __ATOMIC_RELEASE);
}
