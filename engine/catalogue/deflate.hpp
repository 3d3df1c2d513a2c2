// zlib streams, as git's object files and packs hold them. Private to engine/catalogue.
#pragma once

#include <memory>
#include <optional>

#include "engine/base/bytes.hpp"

namespace satchel::catalogue {

class Deflater {
  public:
    Deflater();
    ~Deflater();
    [[nodiscard]] ByteBuffer deflate(ByteView plain);

  private:
    struct Stream;  // kept between calls: setting one up costs more than a small object
    std::unique_ptr<Stream> stream_;
};

// The one stream that `bytes` begins with, of at most `plain_max` bytes; none if it is not whole.
struct Inflated {
    ByteBuffer plain;
    std::size_t taken = 0;  // of `bytes`
};
[[nodiscard]] std::optional<Inflated> inflate(ByteView bytes, std::size_t plain_max);

[[nodiscard]] std::uint32_t crc32_of(ByteView bytes);

}  // namespace satchel::catalogue
