// Serves what a peer asked for, one piece at a time, in the order of asking.
#pragma once

#include <deque>
#include <optional>

#include "engine/exchange/messages.hpp"
#include "engine/store/store.hpp"

namespace satchel::exchange {

// Twice what a peer of ours asks for at once; what lies beyond it asks again.
inline constexpr std::size_t kRequestsPerPeerMax = 128;

class ContentSender {
  public:
    explicit ContentSender(store::Store& store) : store_(store) {}

    void add(const Wanted& wanted);  // what is queued already stays in its place
    void refuse(const ChunkId& id);  // says that it is not here
    [[nodiscard]] bool is_idle() const { return queue_.empty() && absent_.empty() && !current_; }
    // The next piece, or ids that are not here; UnknownMessage: nothing was asked for. A chunk that is
    // damaged here counts as absent, and is told to `damaged`.
    Result<Body> next(std::vector<Error>& damaged);
    [[nodiscard]] std::uint64_t records_sent() const { return records_sent_; }

  private:
    struct Current {
        ChunkId id;
        ByteBuffer record;
        std::uint32_t offset = 0;
    };
    Result<void> open(const Wanted& wanted, std::vector<Error>& damaged);
    store::Store& store_;
    std::deque<Wanted> queue_;
    std::vector<ChunkId> absent_;
    std::optional<Current> current_;
    std::uint64_t records_sent_ = 0;
};

}  // namespace satchel::exchange
