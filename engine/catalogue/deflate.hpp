// zlib streams, as git's object files and packs hold them. Private to engine/catalogue.
#pragma once

#include <memory>

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

[[nodiscard]] std::uint32_t crc32_of(ByteView bytes);

}  // namespace satchel::catalogue
