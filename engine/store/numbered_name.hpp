// Names of files that have a number: eight hex digits, so that they sort by it, then an ending.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace satchel::store {

[[nodiscard]] std::string numbered_name(std::uint32_t number, std::string_view ending);
[[nodiscard]] std::optional<std::uint32_t> number_in(std::string_view name, std::string_view ending);

}  // namespace satchel::store
