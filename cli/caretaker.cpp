#include "cli/caretaker.hpp"

#include <algorithm>

#include "engine/store/pack_format.hpp"

namespace satchel::cli {

namespace {

constexpr std::chrono::milliseconds kFirstLookAfterMax = std::chrono::minutes(10);

}  // namespace

std::chrono::milliseconds Caretaker::pause_for(std::uint64_t bytes_a_day) {
    constexpr std::chrono::milliseconds kDay = std::chrono::hours(24);
    const std::uint64_t packs_a_day = std::max<std::uint64_t>(bytes_a_day / store::kPackTargetBytes, 1);
    return std::max(kDay / static_cast<std::int64_t>(packs_a_day), std::chrono::milliseconds(1));
}

Caretaker::Caretaker(LocalService& service, std::uint64_t bytes_a_day, CareNews news)
    : service_(service), news_(std::move(news)) {
    if (bytes_a_day > 0) thread_ = std::thread([this, bytes_a_day] { work(pause_for(bytes_a_day)); });
}

Caretaker::~Caretaker() {
    {
        const std::lock_guard lock(mutex_);
        is_ending_ = true;
    }
    ended_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void Caretaker::work(std::chrono::milliseconds pause) {
    std::unique_lock lock(mutex_);
    for (auto wait = std::min(pause, kFirstLookAfterMax);
         !ended_.wait_for(lock, wait, [this] { return is_ending_; }); wait = pause) {
        lock.unlock();
        look();
        lock.lock();
    }
}

// One pack: the budget of a byte is spent with the first.
void Caretaker::look() {
    service_.change_in_turn([this](site::Site& site) {
        site::Findings findings;
        const auto found = [&](const store::Damage& damage) {
            findings.add(damage);
            news_.found(damage);
        };
        const Result<store::ScrubReport> looked = site.store().scrub(1, found, [](auto, auto) {});
        if (!looked.has_value()) news_.failed(looked.error());
        if (findings.damaged == 0) return false;
        NoProgress silent;
        const auto lost = [this](const site::Loss& loss) -> Result<void> {
            news_.lost(loss);
            return {};
        };
        const Result<site::Settlement> settled = site.settle(findings, false, lost, silent);
        if (!settled.has_value()) news_.failed(settled.error());
        return true;
    });
}

}  // namespace satchel::cli
