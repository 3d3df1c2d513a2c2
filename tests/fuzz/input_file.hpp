// A fuzzer's input where a parser reads a file.
#pragma once

#include <algorithm>
#include <cstdlib>

#include "engine/env/disk.hpp"

namespace satchel::fuzz {

// The input as a file that nobody writes to.
class InputFile : public env::File {
  public:
    explicit InputFile(ByteView bytes) : bytes_(bytes) {}
    Result<std::size_t> read_at(std::uint64_t offset, MutableBytes into) override {
        if (offset >= bytes_.size()) return std::size_t{0};
        const std::size_t count = std::min(into.size(), bytes_.size() - static_cast<std::size_t>(offset));
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), count, into.begin());
        return count;
    }
    Result<std::uint64_t> size() override { return std::uint64_t{bytes_.size()}; }
    Result<void> write_at(std::uint64_t, ByteView) override { std::abort(); }
    Result<void> truncate(std::uint64_t) override { std::abort(); }
    Result<void> sync() override { std::abort(); }
    Result<void> set_mode(std::uint32_t) override { std::abort(); }
    Result<void> set_mtime(std::int64_t) override { std::abort(); }

  private:
    ByteView bytes_;
};

}  // namespace satchel::fuzz
