// Two ends of a channel with nothing between them but the test.
#pragma once

#include <array>
#include <map>
#include <memory>

#include "simulations/world/seeded.hpp"
#include "transport/channel/channel.hpp"
#include "transport/channel/errors.hpp"

namespace satchel::channel {

class SeededRandom : public env::Random {
  public:
    explicit SeededRandom(std::uint64_t seed) : series_(seed) {}
    void fill(MutableBytes bytes) override { series_.fill(bytes); }

  private:
    simulations::Seeded series_;
};

inline trust::SealingKey sealing_key_of(std::uint8_t seed) {
    std::array<std::uint8_t, 32> bytes{};
    bytes.fill(seed);
    return trust::SealingKey::from_seed(bytes);
}

inline Secret<32> secret_of(std::uint8_t seed) {
    std::array<std::uint8_t, 32> bytes{};
    bytes.fill(seed);
    return Secret<32>(bytes);
}

inline SiteId site_of(const trust::SealingPublicKey& key) { return SiteId{hash_of(key.view())}; }

inline constexpr env::Instant kStart{1'000'000};

// What one end has: a site's key, chance, the network's secret and a roster of its own.
struct End {
    explicit End(std::uint8_t seed) : key(sealing_key_of(seed)), random(seed) {}

    Setup setup() {
        return Setup{.network = network,
                     .key = key,
                     .network_secret = knows_secret ? &secret : nullptr,
                     .random = random,
                     .identify = [this](const Claim& claim) { return identify(claim); },
                     .limits = limits};
    }
    Result<SiteId> identify(const Claim& claim) {
        claims.push_back(claim);
        const auto refused = refusals.find(claim.key);
        if (refused != refusals.end()) return refused->second;
        return site_of(claim.key);
    }

    trust::SealingKey key;
    SeededRandom random;
    NetworkId network{hash_of(bytes_of("a network"))};
    Secret<32> secret = secret_of(0x5e);
    bool knows_secret = true;
    Limits limits{};
    std::map<trust::SealingPublicKey, Error> refusals;
    std::vector<Claim> claims;  // that identify() was asked about
};

inline constexpr Roles kRoles{.dialler = 2, .answerer = 1};

struct Pair {
    End village{1};
    End hub{2};
    std::unique_ptr<Channel> dialler;
    std::unique_ptr<Channel> answerer;
    Result<void> dialler_saw{};
    Result<void> answerer_saw{};
    std::vector<ByteBuffer> at_dialler;
    std::vector<ByteBuffer> at_answerer;

    Pair& dial_known(ByteView early = {}) {
        dialler = Channel::dial_known(village.setup(), kRoles, hub.key.public_key(), early, kStart).value();
        answerer = Channel::answer(hub.setup(), kStart);
        return *this;
    }
    Pair& dial_first() {
        dialler = Channel::dial_first(village.setup(), kRoles, kStart).value();
        answerer = Channel::answer(hub.setup(), kStart);
        return *this;
    }
    Pair& dial(Contact contact) { return contact == Contact::kKnown ? dial_known() : dial_first(); }

    // Carries bytes until both are silent.
    void talk(env::Instant now = kStart) {
        while (carry(*dialler, *answerer, answerer_saw, at_answerer, now) |
               carry(*answerer, *dialler, dialler_saw, at_dialler, now)) {
        }
    }

    static bool carry(Channel& from, Channel& to, Result<void>& saw, std::vector<ByteBuffer>& taken,
                      env::Instant now) {
        if (from.to_send().empty()) return false;
        const ByteBuffer bytes(from.to_send().begin(), from.to_send().end());
        from.on_sent(bytes.size());
        give(to, bytes, saw, taken, now);
        return true;
    }

    static void give(Channel& to, ByteView bytes, Result<void>& saw, std::vector<ByteBuffer>& taken,
                     env::Instant now = kStart) {
        do {
            Result<std::size_t> used = to.feed(bytes, now);
            if (!used) {
                saw = std::move(used).error();
                return;
            }
            bytes = bytes.subspan(*used);
            while (std::optional<Incoming> message = to.take()) taken.push_back(std::move(message->bytes));
        } while (!bytes.empty());
    }
};

// All that an end wants to send, as if it were sent.
inline ByteBuffer drained(Channel& channel) {
    ByteBuffer bytes(channel.to_send().begin(), channel.to_send().end());
    channel.on_sent(bytes.size());
    return bytes;
}

// A dialler that the roster knows and that keeps no rule: it seals whatever frames it is given.
class HostileDialler {
  public:
    explicit HostileDialler(const End& hub) {
        ByteBuffer prologue;
        append(prologue, bytes_of("satchel/1"));
        append(prologue, hub.network.view());
        append(prologue, std::array<std::uint8_t, 2>{kRoles.dialler, kRoles.answerer});
        handshake_.emplace(noise_ik(), Side::kInitiator, prologue,
                           HandshakeKeys{.own = &key_, .remote = hub.key.public_key()}, random_);
    }
    // An answering channel that takes this one for a good peer.
    std::unique_ptr<Channel> connect(End& hub) {
        std::unique_ptr<Channel> channel = Channel::answer(hub.setup(), kStart);
        ByteBuffer first, framed;
        append(framed, bytes_of("SLNK"));
        append(framed, std::array<std::uint8_t, 4>{1, 1, kRoles.dialler, kRoles.answerer});
        SATCHEL_CHECK(handshake_->write({}, first).has_value());
        append(framed, length_of(first.size()));
        append(framed, first);
        SATCHEL_CHECK(channel->feed(framed, kStart) == framed.size());
        SATCHEL_CHECK(handshake_->read(channel->to_send().subspan(2)).has_value());
        channel->on_sent(channel->to_send().size());
        sealer_.emplace(handshake_->split().sealer);
        return channel;
    }
    ByteBuffer frame(std::uint8_t kind, ByteView data) {
        ByteBuffer plain = {kind};
        append(plain, data);
        ByteBuffer framed;
        append(framed, length_of(plain.size() + kTagSize));
        sealer_->seal(plain, framed);
        return framed;
    }

  private:
    static std::array<std::uint8_t, 2> length_of(std::size_t size) {
        return {static_cast<std::uint8_t>(size), static_cast<std::uint8_t>(size >> 8)};
    }

    trust::SealingKey key_ = sealing_key_of(66);
    SeededRandom random_{66};
    std::optional<Handshake> handshake_;
    std::optional<Sealer> sealer_;
};

inline ByteBuffer noise_bytes(std::size_t size, std::uint64_t seed) {
    ByteBuffer bytes(size);
    simulations::Seeded(seed).fill(bytes);
    return bytes;
}

}  // namespace satchel::channel
