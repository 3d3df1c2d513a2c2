// Little-endian fixed fields, LEB128 varints, hex and base64. Readers never pass the end of their input:
// a short or malformed input turns the reader bad, and `ok()` tells once at the end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/bytes.hpp"
#include "engine/base/hash.hpp"

namespace satchel {

class Writer {
  public:
    explicit Writer(ByteBuffer& out) : out_(out) {}
    Writer& u8(std::uint8_t value);
    Writer& u16(std::uint16_t value);
    Writer& u32(std::uint32_t value);
    Writer& u64(std::uint64_t value);
    Writer& varint(std::uint64_t value);
    Writer& zigzag(std::int64_t value);
    Writer& raw(ByteView bytes);
    Writer& raw(std::string_view text) { return raw(bytes_of(text)); }
    Writer& sized(ByteView bytes);  // varint length, then the bytes
    Writer& sized(std::string_view text) { return sized(bytes_of(text)); }

  private:
    ByteBuffer& out_;
};

class Reader {
  public:
    explicit Reader(ByteView in) : in_(in) {}
    std::uint8_t u8();
    std::uint16_t u16();
    std::uint32_t u32();
    std::uint64_t u64();
    std::uint64_t varint();  // refuses more than 10 bytes and non-minimal forms
    std::int64_t zigzag();
    ByteView raw(std::size_t size);
    ByteView sized(std::size_t size_max);
    Digest digest();
    [[nodiscard]] std::size_t left() const { return in_.size(); }
    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] bool at_end() const { return ok_ && in_.empty(); }

  private:
    ByteView in_;
    bool ok_ = true;
};

[[nodiscard]] std::string to_hex(ByteView bytes);
[[nodiscard]] std::optional<ByteBuffer> from_hex(std::string_view text);  // lower case only
[[nodiscard]] std::optional<Digest> digest_from_hex(std::string_view text);
[[nodiscard]] std::string to_base64(ByteView bytes);  // RFC 4648, with padding
[[nodiscard]] std::optional<ByteBuffer> from_base64(std::string_view text);

template <typename Tag>
[[nodiscard]] std::string to_hex(const HashId<Tag>& id) {
    return to_hex(id.view());
}
template <typename Id>
[[nodiscard]] std::optional<Id> id_from_hex(std::string_view text) {
    const std::optional<Digest> digest = digest_from_hex(text);
    if (!digest) return std::nullopt;
    return Id{*digest};
}

}  // namespace satchel
