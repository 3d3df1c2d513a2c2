// Which of the wanted editions may come in: room is spoken for before a transfer, not found lacking in its
// middle. See admission.cpp for the method.
#pragma once

#include <vector>

#include "engine/exchange/freight.hpp"
#include "engine/exchange/replica.hpp"

namespace satchel::exchange {

enum class Depth : std::uint8_t {
    kAll,        // room is reserved for all of it
    kStructure,  // its nodes and recipes, which tell how much room it needs
    kDeclined,   // there is no room for it, and what may go does not make enough
};

struct WantedEdition {
    catalogue::Edition edition;
    Depth depth = Depth::kAll;
    std::uint64_t needed = 0;     // bytes of room: an upper bound, exact when its structure is here
    std::uint64_t available = 0;  // bytes that those before it leave it
};

// The current editions that are meant for this site and not complete, those that began to come in first.
// `may_let_go`: room is made for them; otherwise this only tells what would happen without.
Result<std::vector<WantedEdition>> plan_wanted(const Replica& replica, bool may_let_go);

// What a pack takes for so many plain bytes at most: record headers, index, checksums and parity.
[[nodiscard]] constexpr std::uint64_t room_for(std::uint64_t plain_bytes) {
    constexpr std::uint64_t kFixed = 256 * 1024;
    return plain_bytes + plain_bytes / 32 + kFixed;
}

}  // namespace satchel::exchange
