#include "engine/base/encoding.hpp"

#include <sodium.h>

#include <algorithm>

namespace satchel {

namespace {
template <typename T>
void put_little_endian(ByteBuffer& out, T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

template <typename T>
T little_endian(ByteView bytes) {
    T value = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        value = static_cast<T>(value | (static_cast<T>(bytes[i]) << (8 * i)));
    return value;
}
}  // namespace

Writer& Writer::u8(std::uint8_t value) {
    out_.push_back(value);
    return *this;
}
Writer& Writer::u16(std::uint16_t value) {
    put_little_endian(out_, value);
    return *this;
}
Writer& Writer::u32(std::uint32_t value) {
    put_little_endian(out_, value);
    return *this;
}
Writer& Writer::u64(std::uint64_t value) {
    put_little_endian(out_, value);
    return *this;
}

Writer& Writer::varint(std::uint64_t value) {
    while (value >= 0x80) {
        out_.push_back(static_cast<std::uint8_t>(value | 0x80));
        value >>= 7;
    }
    out_.push_back(static_cast<std::uint8_t>(value));
    return *this;
}

Writer& Writer::zigzag(std::int64_t value) {
    return varint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
}

Writer& Writer::raw(ByteView bytes) {
    append(out_, bytes);
    return *this;
}
Writer& Writer::sized(ByteView bytes) { return varint(bytes.size()).raw(bytes); }

ByteView Reader::raw(std::size_t size) {
    if (!ok_ || size > in_.size()) {
        ok_ = false;
        in_ = {};
        return {};
    }
    const ByteView head = in_.first(size);
    in_ = in_.subspan(size);
    return head;
}

std::uint8_t Reader::u8() { return little_endian<std::uint8_t>(raw(1)); }
std::uint16_t Reader::u16() { return little_endian<std::uint16_t>(raw(2)); }
std::uint32_t Reader::u32() { return little_endian<std::uint32_t>(raw(4)); }
std::uint64_t Reader::u64() { return little_endian<std::uint64_t>(raw(8)); }

std::uint64_t Reader::varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        const std::uint8_t byte = u8();
        if (!ok_) return 0;
        const bool overflows = shift == 63 && byte > 1;
        const bool padded = shift > 0 && byte == 0;
        if (overflows || padded) break;
        value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) return value;
    }
    ok_ = false;
    in_ = {};
    return 0;
}

std::int64_t Reader::zigzag() {
    const std::uint64_t value = varint();
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

ByteView Reader::sized(std::size_t size_max) {
    const std::uint64_t size = varint();
    if (size > size_max) {
        ok_ = false;
        in_ = {};
        return {};
    }
    return raw(static_cast<std::size_t>(size));
}

Digest Reader::digest() {
    Digest digest{};
    const ByteView bytes = raw(digest.size());
    if (ok_) std::copy(bytes.begin(), bytes.end(), digest.begin());
    return digest;
}

std::string to_hex(ByteView bytes) {
    std::string text(bytes.size() * 2 + 1, '\0');
    sodium_bin2hex(text.data(), text.size(), bytes.data(), bytes.size());
    text.pop_back();
    return text;
}

std::optional<ByteBuffer> from_hex(std::string_view text) {
    const bool lower = std::all_of(text.begin(), text.end(),
                                   [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
    if (!lower || text.size() % 2 != 0) return std::nullopt;
    if (text.empty()) return ByteBuffer();  // libsodium may not be given a null pointer
    ByteBuffer bytes(text.size() / 2);
    std::size_t size = 0;
    if (sodium_hex2bin(bytes.data(), bytes.size(), text.data(), text.size(), nullptr, &size, nullptr) != 0)
        return std::nullopt;
    return bytes;
}

std::optional<Digest> digest_from_hex(std::string_view text) {
    Digest digest{};
    if (text.size() != digest.size() * 2) return std::nullopt;
    const std::optional<ByteBuffer> bytes = from_hex(text);
    if (!bytes) return std::nullopt;
    std::copy(bytes->begin(), bytes->end(), digest.begin());
    return digest;
}

std::string to_base64(ByteView bytes) {
    std::string text(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
    sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), sodium_base64_VARIANT_ORIGINAL);
    text.pop_back();
    return text;
}

std::optional<ByteBuffer> from_base64(std::string_view text) {
    ByteBuffer bytes(text.size() / 4 * 3 + 3);
    std::size_t size = 0;
    const char* end = nullptr;
    if (sodium_base642bin(bytes.data(), bytes.size(), text.data(), text.size(), nullptr, &size, &end,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        end != text.data() + text.size())
        return std::nullopt;
    bytes.resize(size);
    return bytes;
}

}  // namespace satchel
