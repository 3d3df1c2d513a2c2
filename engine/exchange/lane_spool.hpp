// What a site at one head of a lane lacks to reach another, cut into batches, in the database's temporary
// storage: made once, sent batch by batch to as many peers as lack the same.
#pragma once

#include <deque>

#include "engine/exchange/messages.hpp"
#include "engine/exchange/replica.hpp"

namespace satchel::exchange {

inline constexpr std::size_t kSpoolsMax = 8;  // peers that lack different stretches at one time

class LaneSpool {
  public:
    explicit LaneSpool(const Replica& replica) : replica_(replica) {}

    // How many batches lead from `from` to the lane's head as it stands.
    Result<std::uint32_t> prepare(const std::string& lane, const std::optional<catalogue::GitId>& from,
                                  const catalogue::GitId& to);
    // kNotFound: it was dropped for others; prepare it again.
    Result<LanePiece> read(const std::string& lane, const std::optional<catalogue::GitId>& from,
                           const catalogue::GitId& to, std::uint32_t index);

  private:
    struct Stretch {
        std::string lane;
        std::optional<catalogue::GitId> from;
        catalogue::GitId to{};
        std::int64_t number = 0;
        std::uint32_t count = 0;
    };
    Result<void> drop(const Stretch& stretch);
    const Stretch* find(const std::string& lane, const std::optional<catalogue::GitId>& from,
                        const catalogue::GitId& to) const;
    Replica replica_;
    std::deque<Stretch> stretches_;  // oldest first
    std::int64_t next_number_ = 1;
};

}  // namespace satchel::exchange
