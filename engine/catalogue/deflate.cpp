#include "engine/catalogue/deflate.hpp"

#include <zlib.h>

#include "engine/base/check.hpp"

namespace satchel::catalogue {

struct Deflater::Stream {
    z_stream z{};
};

Deflater::Deflater() : stream_(std::make_unique<Stream>()) {
    SATCHEL_CHECK(deflateInit(&stream_->z, Z_DEFAULT_COMPRESSION) == Z_OK);
}

Deflater::~Deflater() { deflateEnd(&stream_->z); }

ByteBuffer Deflater::deflate(ByteView plain) {
    z_stream& z = stream_->z;
    SATCHEL_CHECK(deflateReset(&z) == Z_OK);
    ByteBuffer out(deflateBound(&z, static_cast<uLong>(plain.size())));
    z.next_in = const_cast<Bytef*>(plain.data());  // zlib only reads it
    z.avail_in = static_cast<uInt>(plain.size());
    z.next_out = out.data();
    z.avail_out = static_cast<uInt>(out.size());
    SATCHEL_CHECK(::deflate(&z, Z_FINISH) == Z_STREAM_END);  // deflateBound says that it fits
    return {out.begin(), out.begin() + static_cast<std::ptrdiff_t>(z.total_out)};
}

std::uint32_t crc32_of(ByteView bytes) {
    return static_cast<std::uint32_t>(::crc32(0, bytes.data(), static_cast<uInt>(bytes.size())));
}

}  // namespace satchel::catalogue
