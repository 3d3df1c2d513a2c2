// CHECK states what must be true of our own code; it stays on in release builds. Bytes from disk,
// peers and people are never CHECKed: they are refused with a Result.
#pragma once

namespace satchel {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}

#define SATCHEL_CHECK(condition) \
    ((condition) ? static_cast<void>(0) : ::satchel::check_failed(#condition, __FILE__, __LINE__))
