// Bytes that nobody may find later: wiped when they go, moved but never copied.
#pragma once

#include <algorithm>
#include <array>

#include "engine/base/bytes.hpp"
#include "engine/base/check.hpp"

namespace satchel::channel {

void wipe(MutableBytes bytes);  // not taken out by the compiler

template <std::size_t N>
class Secret {
  public:
    Secret() = default;
    explicit Secret(ByteView bytes) {
        SATCHEL_CHECK(bytes.size() == N);
        std::copy(bytes.begin(), bytes.end(), bytes_.begin());
    }
    Secret(Secret&& other) noexcept : bytes_(other.bytes_) { wipe(other.bytes_); }
    Secret& operator=(Secret&& other) noexcept {
        if (this == &other) return *this;
        bytes_ = other.bytes_;
        wipe(other.bytes_);
        return *this;
    }
    ~Secret() { wipe(bytes_); }
    [[nodiscard]] ByteView view() const { return bytes_; }
    [[nodiscard]] MutableBytes writable() { return bytes_; }

  private:
    std::array<std::uint8_t, N> bytes_{};
};

}  // namespace satchel::channel
