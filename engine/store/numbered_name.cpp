#include "engine/store/numbered_name.hpp"

#include "engine/base/encoding.hpp"

namespace satchel::store {

std::string numbered_name(std::uint32_t number, std::string_view ending) {
    ByteBuffer big_endian;
    for (int shift = 24; shift >= 0; shift -= 8)
        big_endian.push_back(static_cast<std::uint8_t>(number >> shift));
    return to_hex(big_endian).append(ending);
}

std::optional<std::uint32_t> number_in(std::string_view name, std::string_view ending) {
    constexpr std::size_t kDigits = 8;
    if (name.size() != kDigits + ending.size() || !name.ends_with(ending)) return std::nullopt;
    const std::optional<ByteBuffer> bytes = from_hex(name.substr(0, kDigits));
    if (!bytes) return std::nullopt;
    std::uint32_t number = 0;
    for (const std::uint8_t byte : *bytes) number = number << 8 | byte;
    return number;
}

}  // namespace satchel::store
