// The library of a Site. Each call of the engine happens inside `with_engine`, one step at a time (a node, a
// recipe, a chunk), so that who plays never holds up the engine for long.
#pragma once

#include <functional>
#include <memory>

#include "cli/play/library.hpp"
#include "engine/site/site.hpp"

namespace satchel::play {

// Runs the work while no one else uses the engine, in the caller's thread; may leave it out when the site is
// being closed.
using WithEngine = std::function<void(const std::function<void()>& work)>;

// The site outlives the library and all its readers.
[[nodiscard]] std::unique_ptr<PlayLibrary> make_site_library(site::Site& site, WithEngine with_engine);

}  // namespace satchel::play
