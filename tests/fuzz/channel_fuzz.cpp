// A channel under bytes of others. The first byte chooses who listens: an answering end, one of two dialling
// ends, or an answering end that has let in a peer who keeps no rule and seals what it likes. Whatever comes
// is refused or understood, and memory stays bounded. Keys and chance are always the same, so that the seeds
// are whole conversations; but nothing is handed out that the holders of the keys have not sealed in them.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "tests/transport/channel/ends.hpp"

namespace {

using namespace satchel;
using namespace satchel::channel;

constexpr std::size_t kMessageBytes = 4096;  // small, so that inputs reach it

void demand(bool truth) {
    if (!truth) std::abort();
}

constexpr std::array<std::string_view, 3> kSealed = {"what is new?", "nothing", "good night"};

// Feeds in steps, as a socket would; the end may come at any of them.
void feed_all(Channel& channel, ByteView bytes, bool only_sealed) {
    while (!bytes.empty()) {
        const ByteView step = bytes.first(std::min<std::size_t>(bytes.size(), 1 + bytes[0]));
        const Result<std::size_t> used = channel.feed(step, kStart);
        if (const std::optional<Incoming> message = channel.take()) {
            demand(message->bytes.size() <= kMessageBytes);
            demand(!only_sealed ||
                   std::find(kSealed.begin(), kSealed.end(), text_of(message->bytes)) != kSealed.end());
        }
        demand(channel.held_bytes() <= 2 * kNoiseMessageMax + kMessageBytes + 2 * kOutputMax);
        demand(used.has_value() == (channel.state() != State::kFailed));
        if (!used) return;
        demand(*used > 0);
        bytes = bytes.subspan(*used);
    }
}

void answerer_listens(End& hub, ByteView bytes) {
    const std::unique_ptr<Channel> answerer = Channel::answer(hub.setup(), kStart);
    feed_all(*answerer, bytes, true);
    demand(!answerer->peer() || answerer->peer()->key == sealing_key_of(1).public_key());
}

void dialler_listens(End& hub, Contact contact, ByteView bytes) {
    End village(1);
    const std::unique_ptr<Channel> dialler =
        contact == Contact::kFirst
            ? Channel::dial_first(village.setup(), kRoles, kStart).value()
            : Channel::dial_known(village.setup(), kRoles, hub.key.public_key(), bytes_of(kSealed[0]), kStart)
                  .value();
    feed_all(*dialler, bytes, true);
    demand(!dialler->peer() || dialler->peer()->key == hub.key.public_key());
}

// The input is a row of frames: a kind, a length of two bytes, and data.
void known_peer_breaks_rules(End& hub, ByteView bytes) {
    HostileDialler peer(hub);
    const std::unique_ptr<Channel> answerer = peer.connect(hub);
    while (bytes.size() >= 3 && answerer->state() != State::kFailed) {
        const std::size_t size = std::min<std::size_t>(bytes.size() - 3, bytes[1] + 256u * bytes[2]);
        if (size > kNoiseMessageMax - 1 - kTagSize) return;
        feed_all(*answerer, peer.frame(bytes[0], bytes.subspan(3, size)), false);
        bytes = bytes.subspan(3 + size);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    End hub(2);
    hub.limits.message_bytes = kMessageBytes;
    const ByteView bytes(data + 1, size - 1);
    switch (data[0] % 4) {
        case 0:
            answerer_listens(hub, bytes);
            break;
        case 1:
            dialler_listens(hub, Contact::kKnown, bytes);
            break;
        case 2:
            dialler_listens(hub, Contact::kFirst, bytes);
            break;
        case 3:
            known_peer_breaks_rules(hub, bytes);
            break;
    }
    return 0;
}
