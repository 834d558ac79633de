// SPDX-License-Identifier: Apache-2.0
// operator new over the test's failing malloc(); see test_policy_torture.c.
#include <cstdlib>
#include <new>

void *operator new(std::size_t size)
{
    void *memory = std::malloc(size == 0 ? 1 : size);

    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    return memory;
}

void *operator new(std::size_t size, const std::nothrow_t &) noexcept
{
    return std::malloc(size == 0 ? 1 : size);
}

void operator delete(void *memory) noexcept
{
    std::free(memory);
}

void operator delete(void *memory, std::size_t) noexcept
{
    std::free(memory);
}
