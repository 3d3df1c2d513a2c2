#include "simulations/world/sim_tree.hpp"

#include <algorithm>

#include "engine/base/check.hpp"
#include "engine/base/encoding.hpp"

namespace satchel::simulations {

namespace {

const Digest& zero_page_digest() {
    static const Digest kDigest = hash_of(ByteBuffer(kPageBytes));
    return kDigest;
}

void hash_node(const Tree& tree, NodeId id, Hasher& hasher) {
    const Node* node = tree.find(id);
    SATCHEL_CHECK(node != nullptr);
    ByteBuffer head;
    Writer writer(head);
    writer.u8(static_cast<std::uint8_t>(node->kind)).varint(node->entries.size());
    hasher.update(head).update(node->content.digest());
    for (const auto& [folded, entry] : node->entries) {
        ByteBuffer name;
        Writer(name).sized(entry.name);
        hasher.update(name);
        hash_node(tree, entry.node, hasher);
    }
}

}  // namespace

std::size_t Content::read(std::uint64_t offset, MutableBytes into) const {
    if (offset >= size_) return 0;
    const std::size_t total = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), size_ - offset));
    for (std::size_t done = 0; done < total;) {
        const std::uint64_t at = offset + done;
        const std::size_t within = static_cast<std::size_t>(at % kPageBytes);
        const std::size_t count = std::min(total - done, kPageBytes - within);
        const std::shared_ptr<Page>& page = pages_[static_cast<std::size_t>(at / kPageBytes)];
        if (page)
            std::memcpy(into.data() + done, page->bytes.data() + within, count);
        else
            std::memset(into.data() + done, 0, count);
        done += count;
    }
    return total;
}

Content::Page& Content::page_to_change(std::size_t index) {
    std::shared_ptr<Page>& page = pages_[index];
    if (!page)
        page = std::make_shared<Page>();
    else if (page.use_count() > 1)
        page = std::make_shared<Page>(*page);
    page->digest.reset();
    return *page;
}

void Content::write(std::uint64_t offset, ByteView bytes) {
    if (offset + bytes.size() > size_) resize(offset + bytes.size());
    for (std::size_t done = 0; done < bytes.size();) {
        const std::uint64_t at = offset + done;
        const std::size_t within = static_cast<std::size_t>(at % kPageBytes);
        const std::size_t count = std::min(bytes.size() - done, kPageBytes - within);
        Page& page = page_to_change(static_cast<std::size_t>(at / kPageBytes));
        std::memcpy(page.bytes.data() + within, bytes.data() + done, count);
        done += count;
    }
}

void Content::resize(std::uint64_t size) {
    const std::size_t pages = static_cast<std::size_t>((size + kPageBytes - 1) / kPageBytes);
    const std::size_t within = static_cast<std::size_t>(size % kPageBytes);
    // Bytes beyond the end stay zero, so that growing again shows zeros and equal contents hash equal.
    if (size < size_ && within != 0 && pages_[pages - 1]) {
        Page& page = page_to_change(pages - 1);
        std::fill(page.bytes.begin() + static_cast<std::ptrdiff_t>(within), page.bytes.end(),
                  std::uint8_t{0});
    }
    pages_.resize(pages);
    size_ = size;
}

Digest Content::digest() const {
    Hasher hasher;
    ByteBuffer head;
    Writer(head).u64(size_);
    hasher.update(head);
    for (const std::shared_ptr<Page>& page : pages_) {
        if (page && !page->digest) page->digest = hash_of(page->bytes);
        hasher.update(page ? *page->digest : zero_page_digest());
    }
    return hasher.finish();
}

void Node::note_change(ByteView bytes, std::uint64_t number) {
    constexpr std::int64_t kStep = 1 << 20;
    std::uint64_t hash = static_cast<std::uint64_t>(changed % kStep) ^ number;
    for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3ull;  // FNV-1a
    hash = (hash ^ (hash >> 32)) * 0x9E3779B97F4A7C15ull;
    changed = (changed / kStep + 1) * kStep + static_cast<std::int64_t>(hash >> 44);
}

Tree::Tree() {
    auto root = std::make_shared<Node>();
    root->kind = env::EntryKind::kDirectory;
    root->mode = 0755;
    nodes_.emplace(kRootNode, std::move(root));
}

const Node* Tree::find(NodeId id) const {
    const auto found = nodes_.find(id);
    return found == nodes_.end() ? nullptr : found->second.get();
}

Node& Tree::change(NodeId id) {
    const auto found = nodes_.find(id);
    SATCHEL_CHECK(found != nodes_.end());
    if (found->second.use_count() > 1) found->second = std::make_shared<Node>(*found->second);
    return *found->second;
}

void Tree::put(NodeId id, std::shared_ptr<Node> node) { nodes_[id] = std::move(node); }

Digest tree_hash(const Tree& tree) {
    Hasher hasher;
    hash_node(tree, kRootNode, hasher);
    return hasher.finish();
}

}  // namespace satchel::simulations
