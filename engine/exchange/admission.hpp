// Which of the wanted editions may come in: room is spoken for before a transfer, not found lacking in its
// middle. See admission.cpp for the method.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "engine/exchange/freight.hpp"
#include "engine/exchange/replica.hpp"

namespace satchel::exchange {

enum class Depth : std::uint8_t {
    kAll,        // room is reserved for all of it
    kStructure,  // its nodes and recipes, which tell how much room it needs
    kDeclined,   // there is no room for it, and nothing went that would make enough
};

struct WantedEdition {
    catalogue::Edition edition;
    Depth depth = Depth::kAll;
    std::uint64_t needed = 0;          // bytes of room: an upper bound, exact when its structure is here
    std::uint64_t available = 0;       // bytes that those before it leave it, with what goes by itself
    bool lacks_room_for_list = false;  // of one that was whole: it comes if it is small
    std::uint64_t stand_in = 0;        // bytes that the shown edition would give back, for a stick alone
};

// Where what an edition lacks would come from now, which decides what may go for it.
enum class Source : std::uint8_t {
    kNone,   // nobody is known to have it: nothing goes
    kLine,   // someone who may be gone for weeks before all is here: what people see of the course stays
    kStick,  // all of it lies here
};
using FindSource = std::function<Result<Source>(const ChunkId& manifest)>;

// The current editions that are meant for this site and not complete, those that began to come in first. Room
// is made for those that have a source, and which were declined is noted.
Result<std::vector<WantedEdition>> plan_wanted(const Replica& replica, const FindSource& find_source);

// As the last plan decided; none after forget_declined, when there may be room now.
struct Declined {
    std::uint64_t needed = 0;
    std::uint64_t available = 0;
    std::uint64_t stand_in = 0;
};
Result<std::optional<Declined>> find_declined(database::Database& database, const ChunkId& manifest);
Result<std::vector<WantedEdition>> declined_editions(const Replica& replica);
Result<void> forget_declined(database::Database& database);

// What a pack takes for so many plain bytes at most: record headers, index, checksums and parity.
[[nodiscard]] constexpr std::uint64_t room_for(std::uint64_t plain_bytes) {
    constexpr std::uint64_t kFixed = 256 * 1024;
    return plain_bytes + plain_bytes / 32 + kFixed;
}

}  // namespace satchel::exchange
