// Guarded, locked memory in pieces. A sodium_malloc of its own for each secret costs five system
// calls, more than sealing a section: so small secrets share blocks of it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace schakel::crypto {

// Memory of `size` zeros out of a sodium_malloc block, or a block of its own above 2 KiB. Never null:
// a process without memory stops. Thread-safe. REQUIRES: size > 0.
uint8_t* TakeSecretMemory(size_t size);
// Wipes it and gives it back. `size` as it was taken.
void GiveBackSecretMemory(uint8_t* memory, size_t size);

}  // namespace schakel::crypto
