#include "cli/caretaker.hpp"

#include <algorithm>
#include <vector>

#include "engine/store/pack_format.hpp"

namespace satchel::cli {

namespace {

constexpr std::chrono::milliseconds kFirstLookAfterMax = std::chrono::minutes(10);

// To name the lessons that are hit may take minutes in a large library. The next start finds the same first.
class UntilEnding : public Progress {
  public:
    explicit UntilEnding(const std::atomic<bool>& is_ending) : is_ending_(is_ending) {}
    Result<void> update(const ProgressUpdate&) override {
        if (!is_ending_) return {};
        return fail(ErrorCode::kCancelled, "", "the site is being closed", "start it again");
    }

  private:
    const std::atomic<bool>& is_ending_;
};

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
         !ended_.wait_for(lock, wait, [this] { return is_ending_.load(); }); wait = pause) {
        lock.unlock();
        look();
        lock.lock();
    }
}

// One pack: the budget of a byte is spent with the first. What is told waits until the turn is given back:
// who reads it may be slow.
void Caretaker::look() {
    std::vector<store::Damage> damages;
    std::vector<site::Loss> losses;
    std::vector<Error> errors;
    service_.change_in_turn([&](site::Site& site) {
        site::Findings findings;
        const auto found = [&](const store::Damage& damage) {
            findings.add(damage);
            if (damages.size() < kToldMax) damages.push_back(damage);
        };
        const Result<store::ScrubReport> looked = site.store().scrub(1, found, [](auto, auto) {});
        if (!looked.has_value()) errors.push_back(looked.error());
        if (findings.damaged == 0) return false;
        UntilEnding until_ending(is_ending_);
        const auto lost = [&](const site::Loss& loss) -> Result<void> {
            if (losses.size() < kToldMax) losses.push_back(loss);
            return {};
        };
        const bool is_dying = given_up_ + findings.lost.size() > kGivenUpMax;
        const Result<site::Settlement> settled = site.settle(
            findings, is_dying ? site::GiveUp::kNothing : site::GiveUp::kDamaged, lost, until_ending);
        if (!settled.has_value() && !is_ending_) errors.push_back(settled.error());
        given_up_ += settled.has_value() ? settled->given_up : 0;
        return !settled.has_value() || settled->given_up > 0;
    });
    for (const store::Damage& damage : damages) news_.found(damage);
    for (const site::Loss& loss : losses) news_.lost(loss);
    for (const Error& error : errors) news_.failed(error);
}

}  // namespace satchel::cli
