#include "engine/catalogue/git_repository.hpp"

#include <git2.h>
#include <git2/sys/odb_backend.h>
#include <git2/sys/repository.h>

#include <algorithm>
#include <cstring>

#include "engine/base/check.hpp"
#include "engine/catalogue/tree.hpp"

namespace satchel::catalogue {

namespace {

// libgit2's own limits are made for workstations: 256 MiB of parsed objects, 8 GiB of mapped packs.
constexpr ssize_t kCacheMax = 8 * 1024 * 1024;
constexpr std::size_t kWindowSize = 8 * 1024 * 1024;
constexpr std::size_t kMappedMax = 64 * 1024 * 1024;

// Fixed, so that commits tell no person's address.
constexpr char kMail[] = "office@satchel.invalid";

template <typename T, void (*Free)(T*)>
struct Freer {
    void operator()(T* pointer) const { Free(pointer); }
};
template <typename T, void (*Free)(T*)>
using Handle = std::unique_ptr<T, Freer<T, Free>>;

using TreeHandle = Handle<git_tree, git_tree_free>;
using CommitHandle = Handle<git_commit, git_commit_free>;
using BuilderHandle = Handle<git_treebuilder, git_treebuilder_free>;
using SignatureHandle = Handle<git_signature, git_signature_free>;

GitId id_of(const git_oid& oid) {
    GitId id;
    std::copy_n(static_cast<const unsigned char*>(oid.id), id.size(), id.begin());
    return id;
}

git_oid oid_of(const GitId& id) {
    git_oid oid;
    std::copy(id.begin(), id.end(), static_cast<unsigned char*>(oid.id));
    return oid;
}

// The object table as libgit2 sees it. What went wrong below is kept here, since libgit2 passes on numbers
// only.
struct Backend : git_odb_backend {
    ObjectTable* objects = nullptr;
    std::optional<Error> error;

    int failed(Error why) {
        error = std::move(why);
        return GIT_ERROR;
    }
    static Backend& of(git_odb_backend* backend) { return *static_cast<Backend*>(backend); }
};

int read_object(void** data, std::size_t* size, git_object_t* type, git_odb_backend* backend,
                const git_oid* oid) {
    Backend& self = Backend::of(backend);
    Result<std::optional<GitObject>> object = self.objects->find(id_of(*oid));
    if (!object.has_value()) return self.failed(std::move(object.error()));
    if (!*object) return GIT_ENOTFOUND;
    const ByteBuffer& bytes = (*object)->data;
    *data = git_odb_backend_data_alloc(backend, std::max<std::size_t>(bytes.size(), 1));
    if (*data == nullptr) return GIT_ERROR;
    std::copy(bytes.begin(), bytes.end(), static_cast<std::uint8_t*>(*data));
    *size = bytes.size();
    *type = static_cast<git_object_t>((*object)->type);
    return GIT_OK;
}

int read_object_header(std::size_t* size, git_object_t* type, git_odb_backend* backend, const git_oid* oid) {
    Backend& self = Backend::of(backend);
    Result<std::optional<GitObject>> object = self.objects->find(id_of(*oid));
    if (!object.has_value()) return self.failed(std::move(object.error()));
    if (!*object) return GIT_ENOTFOUND;
    *size = (*object)->data.size();
    *type = static_cast<git_object_t>((*object)->type);
    return GIT_OK;
}

int object_exists(git_odb_backend* backend, const git_oid* oid) {
    Backend& self = Backend::of(backend);
    Result<bool> there = self.objects->contains(id_of(*oid));
    if (!there.has_value()) self.failed(std::move(there.error()));
    return there.has_value() && *there ? 1 : 0;
}

// Trees are written from their leaves up, so the digests of the parts are there.
Result<Digest> digest_of(ObjectTable& objects, const GitId& id, GitType type, ByteView data) {
    if (type != GitType::kTree) return hash_of(data);
    SATCHEL_TRY(const Tree tree, parse_tree(id, data));
    std::vector<Digest> children;
    for (const TreeEntry& entry : tree) {
        SATCHEL_TRY(const std::optional<Digest> child,
                    objects.digest(entry.id, entry.is_tree ? GitType::kTree : GitType::kBlob));
        if (!child) return object_is_damaged(entry.id, "a part of a tree is missing");
        children.push_back(*child);
    }
    return tree_digest(tree, children);
}

int write_object(git_odb_backend* backend, const git_oid* oid, const void* data, std::size_t size,
                 git_object_t type) {
    Backend& self = Backend::of(backend);
    const ByteView bytes(static_cast<const std::uint8_t*>(data), size);
    const std::optional<GitType> known = git_type_of(static_cast<std::uint64_t>(type));
    if (!known) return GIT_ERROR;
    const GitId id = id_of(*oid);
    if (size > kObjectBytesMax)
        return self.failed(fail(ErrorCode::kTooLarge, "catalogue",
                                "a document or folder of the catalogue is too large",
                                "split it into smaller parts"));
    Result<Digest> digest = digest_of(*self.objects, id, *known, bytes);
    if (!digest.has_value()) return self.failed(std::move(digest.error()));
    Result<bool> inserted = self.objects->insert(id, *known, *digest, bytes);
    if (!inserted.has_value()) return self.failed(std::move(inserted.error()));
    return GIT_OK;
}

void free_nothing(git_odb_backend*) {}

void lower_limits() {
    git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, kCacheMax);
    git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, kWindowSize);
    git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, kMappedMax);
    // A transaction that is rolled back must leave nothing behind in libgit2's memory either.
    git_libgit2_opts(GIT_OPT_ENABLE_CACHING, 0);
}

}  // namespace

struct GitRepository::State {
    Backend backend;
    git_odb* odb = nullptr;
    git_config* config = nullptr;
    git_repository* repository = nullptr;

    ~State() {
        git_repository_free(repository);
        git_config_free(config);
        git_odb_free(odb);
        git_libgit2_shutdown();
    }

    // What libgit2 answered as a Result.
    Result<void> check(int code) {
        if (code >= 0) return {};
        if (backend.error) {
            Error error = std::move(*backend.error);
            backend.error.reset();
            return error;
        }
        const git_error* last = git_error_last();
        return fail(ErrorCode::kFailed, "catalogue", "libgit2 refused an object",
                    "report this to the makers of satchel", last != nullptr ? last->message : "");
    }

    Result<TreeHandle> tree(const GitId& id) {
        const git_oid oid = oid_of(id);
        git_tree* tree = nullptr;
        SATCHEL_TRY_VOID(check(git_tree_lookup(&tree, repository, &oid)));
        return TreeHandle(tree);
    }

    Result<CommitHandle> commit(const GitId& id) {
        const git_oid oid = oid_of(id);
        git_commit* commit = nullptr;
        SATCHEL_TRY_VOID(check(git_commit_lookup(&commit, repository, &oid)));
        return CommitHandle(commit);
    }
};

GitRepository::GitRepository(std::unique_ptr<State> state) : state_(std::move(state)) {}
GitRepository::~GitRepository() = default;

Result<std::unique_ptr<GitRepository>> GitRepository::open(ObjectTable& objects) {
    SATCHEL_CHECK(git_libgit2_init() > 0);
    lower_limits();
    auto state = std::make_unique<State>();
    Backend& backend = state->backend;
    SATCHEL_TRY_VOID(state->check(git_odb_init_backend(&backend, GIT_ODB_BACKEND_VERSION)));
    backend.objects = &objects;
    backend.read = read_object;
    backend.read_header = read_object_header;
    backend.exists = object_exists;
    backend.write = write_object;
    backend.free = free_nothing;
    SATCHEL_TRY_VOID(state->check(git_odb_new(&state->odb)));
    SATCHEL_TRY_VOID(state->check(git_odb_add_backend(state->odb, &backend, 1)));
    SATCHEL_TRY_VOID(state->check(git_repository_wrap_odb(&state->repository, state->odb)));
    // An empty configuration; without one libgit2 would look for the user's.
    SATCHEL_TRY_VOID(state->check(git_config_new(&state->config)));
    SATCHEL_TRY_VOID(state->check(git_repository_set_config(state->repository, state->config)));
    return std::unique_ptr<GitRepository>(new GitRepository(std::move(state)));
}

Result<GitId> GitRepository::write_blob(ByteView content) {
    git_oid oid;
    const void* data = content.empty() ? static_cast<const void*>("") : content.data();
    SATCHEL_TRY_VOID(state_->check(git_odb_write(&oid, state_->odb, data, content.size(), GIT_OBJECT_BLOB)));
    return id_of(oid);
}

Result<std::optional<GitId>> GitRepository::write_tree(const std::optional<GitId>& base,
                                                       const Changes& changes) {
    TreeHandle old_tree;
    if (base) {
        SATCHEL_TRY(old_tree, state_->tree(*base));
    }
    git_treebuilder* made = nullptr;
    SATCHEL_TRY_VOID(state_->check(git_treebuilder_new(&made, state_->repository, old_tree.get())));
    const BuilderHandle builder(made);
    const auto put = [&](const std::string& name, const std::optional<GitId>& id,
                         git_filemode_t mode) -> Result<void> {
        if (!id) {
            if (git_treebuilder_get(builder.get(), name.c_str()) == nullptr) return {};
            return state_->check(git_treebuilder_remove(builder.get(), name.c_str()));
        }
        const git_oid oid = oid_of(*id);
        return state_->check(git_treebuilder_insert(nullptr, builder.get(), name.c_str(), &oid, mode));
    };
    std::map<std::string, Changes> folders;
    for (const auto& [path, blob] : changes) {
        const std::size_t slash = path.find('/');
        if (slash != std::string::npos)
            folders[path.substr(0, slash)][path.substr(slash + 1)] = blob;
        else
            SATCHEL_TRY_VOID(put(path, blob, GIT_FILEMODE_BLOB));
    }
    for (const auto& [name, below] : folders) {
        const git_tree_entry* entry = git_treebuilder_get(builder.get(), name.c_str());
        const std::optional<GitId> folder =
            entry != nullptr ? std::optional(id_of(*git_tree_entry_id(entry))) : std::nullopt;
        SATCHEL_TRY(const std::optional<GitId> changed, write_tree(folder, below));
        SATCHEL_TRY_VOID(put(name, changed, GIT_FILEMODE_TREE));
    }
    if (git_treebuilder_entrycount(builder.get()) == 0) return std::optional<GitId>();
    git_oid oid;
    SATCHEL_TRY_VOID(state_->check(git_treebuilder_write(&oid, builder.get())));
    return std::optional(id_of(oid));
}

Result<std::string> GitRepository::commit_content(const GitId& tree, const std::optional<GitId>& parent,
                                                  const Author& author, const std::string& message) {
    git_signature* made = nullptr;
    SATCHEL_TRY_VOID(state_->check(
        git_signature_new(&made, author.name.c_str(), kMail, author.time_s, author.utc_offset_minutes)));
    const SignatureHandle person(made);
    SATCHEL_TRY(const TreeHandle tree_handle, state_->tree(tree));
    CommitHandle parent_handle;
    if (parent) {
        SATCHEL_TRY(parent_handle, state_->commit(*parent));
    }
    const git_commit* parents[] = {parent_handle.get()};
    git_buf buffer = {nullptr, 0, 0};
    SATCHEL_TRY_VOID(state_->check(git_commit_create_buffer(&buffer, state_->repository, person.get(),
                                                            person.get(), nullptr, message.c_str(),
                                                            tree_handle.get(), parent ? 1 : 0, parents)));
    std::string content(buffer.ptr, buffer.size);
    git_buf_dispose(&buffer);
    return content;
}

Result<GitId> GitRepository::write_commit(const std::string& content, const std::string& signature) {
    git_oid oid;
    SATCHEL_TRY_VOID(state_->check(git_commit_create_with_signature(&oid, state_->repository, content.c_str(),
                                                                    signature.c_str(), "gpgsig")));
    return id_of(oid);
}

}  // namespace satchel::catalogue
