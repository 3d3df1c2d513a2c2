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

std::optional<Inflated> inflate(ByteView bytes, std::size_t plain_max) {
    z_stream z{};
    if (inflateInit(&z) != Z_OK) return std::nullopt;
    Inflated inflated;
    inflated.plain.resize(plain_max);
    z.next_in = const_cast<Bytef*>(bytes.data());  // zlib only reads it
    z.avail_in = static_cast<uInt>(bytes.size());
    z.next_out = inflated.plain.data();
    z.avail_out = static_cast<uInt>(plain_max);
    const int code = ::inflate(&z, Z_FINISH);
    inflated.taken = z.total_in;
    inflated.plain.erase(inflated.plain.begin() + static_cast<std::ptrdiff_t>(z.total_out),
                         inflated.plain.end());
    inflateEnd(&z);
    return code == Z_STREAM_END ? std::optional(std::move(inflated)) : std::nullopt;
}

std::uint32_t crc32_of(ByteView bytes) {
    return static_cast<std::uint32_t>(::crc32(0, bytes.data(), static_cast<uInt>(bytes.size())));
}

}  // namespace satchel::catalogue
