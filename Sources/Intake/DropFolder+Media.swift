public import Files
internal import FoundationEssentials
public import SystemPackage

extension DropFolder {
    /// Finds the file that a path in a manifest means.
    ///
    /// The path is relative to the folder where the manifest was dropped, or absolute, or a `file:` URL. After
    /// links are resolved it must be below the drop folder or a media root. A file that is found ready counts as
    /// asked for: it is not handed out as loose media any more.
    public func resolveMedia(path: String, manifestRelativePath: FilePath) -> MediaResolution {
        resolve(path, manifestRelativePath, locator.roots())
    }

    /// Finds the files that several paths in a manifest mean, each as the other does.
    ///
    /// Nothing else of the folder goes on meanwhile: ask for some hundreds at a time.
    public func resolveMedia(paths: some Collection<String>, manifestRelativePath: FilePath) -> [MediaResolution] {
        let roots = locator.roots()
        return paths.map { resolve($0, manifestRelativePath, roots) }
    }

    private func resolve(_ path: String, _ manifest: FilePath, _ roots: MediaLocator.Roots) -> MediaResolution {
        switch locator.find(path, besides: manifest, in: roots) {
        case .missing: return .missing
        case .refused(let refusal): return .refused(refusal)
        case .found(let place):
            do {
                return try settle(place, roots)
            } catch {
                return MediaLocator.resolution(of: error, text: path)
            }
        }
    }

    nonisolated var locator: MediaLocator { MediaLocator(folder: settings.path, mediaRoots: settings.mediaRoots) }

    /// Opens media that was found ready.
    ///
    /// Compare `look()` of the answer after the last read with `media.identity`; if they differ, call
    /// `mediaChanged`.
    /// - Throws: `IntakeError` with `.vanished`, or `.changed` when it is another file by now.
    public nonisolated func openMedia(_ media: OpenableMedia) throws(IntakeError) -> OpenFile {
        let path = mediaPath(media)
        do {
            guard let root = locator.canonicalRoot(media.rootIndex) else {
                throw IntakeError(.vanished, path, "Its folder is gone.")
            }
            let file = try BeneathOpener(root: root).open(media.relativePath, followingLinks: false)
            guard try file.look().identity.hasSameContent(as: media.identity) else {
                throw IntakeError(.changed, path, "It is not what it was when it was complete.")
            }
            return file
        } catch {
            throw IntakeError(error, at: path)
        }
    }

    /// Says that media changed while it was read: it settles again, each time twice as long.
    public func mediaChanged(_ media: OpenableMedia) {
        let key = key(media.rootIndex, media.relativePath)
        handedOut.forget(key)
        settleAgain(.looseMedia, key, media.identity, strikes: media.strikes + 1, reason: nil)
    }

    /// Where the media is.
    public nonisolated func mediaPath(_ media: OpenableMedia) -> FilePath {
        let root = media.rootIndex == 0 ? settings.path : settings.mediaRoots[media.rootIndex - 1]
        return root.pushing(media.relativePath)
    }

    private func key(_ rootIndex: Int, _ relativePath: FilePath) -> FilePath {
        rootIndex == 0 ? relativePath : settings.mediaRoots[rootIndex - 1].pushing(relativePath)
    }

    private func settle(
        _ file: MediaLocator.Place, _ roots: MediaLocator.Roots
    ) throws(BeneathOpener.Refusal) -> MediaResolution {
        let key = key(file.rootIndex, file.relativePath)
        let identity = file.look.identity
        func ready(strikes: Int) -> MediaResolution {
            .ready(
                OpenableMedia(
                    rootIndex: file.rootIndex, relativePath: file.relativePath, identity: identity, strikes: strikes))
        }
        if handedOut.contains(key, identity) { return ready(strikes: 0) }
        let now = time.now()
        let isLoose = file.rootIndex == 0 && rules.verdict(key) == .media
        switch isLoose
            ? media.observe(key, identity, by: .seen, at: now) : named.observe(key, identity, by: .seen, at: now)
        {
        case .settling(let until, let reason):
            return .settling(reason: "\(reason)", until: wallClock() - (now - until))
        case .full where !isOld(identity):
            let reason = "more files settle than can be followed at once"
            return .settling(reason: reason, until: wallClock() - .zero + settings.settle)
        case .ready, .held, .full: break
        }
        let root = roots[file.rootIndex] ?? settings.path
        if try BeneathOpener(root: root).open(file.relativePath, followingLinks: false).writer() == .present {
            if isLoose { media.postpone(key, at: now) } else { named.postpone(key, at: now) }
            let reason = "\(SettleTracker.Reason.openForWriting)"
            return .settling(reason: reason, until: wallClock() + max(settings.settle, .milliseconds(100)))
        }
        let entry = isLoose ? media.take(key) : named.take(key)
        handedOut.insert(key, identity)
        return ready(strikes: entry?.strikes ?? 0)
    }

    /// Whether the file was left alone for long enough by its own account.
    ///
    /// Only where there is no room to look twice: this believes the system's clock, two looks do not.
    private func isOld(_ identity: FileIdentity) -> Bool {
        let age = wallClock().timeIntervalSince1970 - Double(identity.changed) / 1e9
        return .seconds(age) >= settings.settle
    }
}
