// Reads the mirror back as write_mirror made it, when site.db is lost. Nothing of it is trusted: what it
// holds comes in through quarantine as from any stranger. Private to engine/catalogue.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "engine/catalogue/git_objects.hpp"
#include "engine/env/disk.hpp"

namespace satchel::catalogue {

// The head of the lane's branch; none if there is no such branch.
Result<std::optional<GitId>> mirrored_head(env::Disk& disk, std::string_view directory,
                                           std::string_view lane);

// Every whole object, loose ones and those of packs, in no order. What is damaged, or was packed anew by git
// with differences between objects, is passed over.
Result<void> for_each_mirrored_object(env::Disk& disk, std::string_view directory,
                                      const std::function<Result<void>(GitType, ByteView data)>& each);

}  // namespace satchel::catalogue
