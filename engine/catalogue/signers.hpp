// Lines of an allowed_signers file, as `ssh-keygen -Y verify` and git read it. Private to engine/catalogue.
#pragma once

#include <string>
#include <string_view>

#include "engine/trust/root.hpp"

namespace satchel::catalogue {

// With the newline. A character of the holder's name that would be a pattern or end the field reads '_'.
[[nodiscard]] std::string signer_line(const trust::KeyHolder& signer, std::string_view name_space);

// A lane's name as a branch of git and as a folder: letters, digits, '-', '_' and bytes of UTF-8 as they are,
// any other byte as =XX.
[[nodiscard]] std::string lane_file_name(std::string_view lane);

}  // namespace satchel::catalogue
