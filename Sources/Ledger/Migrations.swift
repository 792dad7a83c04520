internal import GRDB

/// The ledger's schema, one step a version.
///
/// A step that was released is never changed: a later one mends it.
enum Migrations {
    /// Every step, in order.
    ///
    /// The last one's name is the version that ``SQLiteLedger`` writes and accepts.
    static let migrator: DatabaseMigrator = {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { db in try db.execute(sql: first) }
        migrator.registerMigration("2") { db in try db.execute(sql: second) }
        migrator.registerMigration(summed) { db in try db.execute(sql: third) }
        migrator.registerMigration("4") { db in try db.execute(sql: fourth) }
        return migrator
    }()

    /// The first version whose pages have sums, and whose commits are counted.
    static let summed = "3"

    /// What operators ask for, pauses that they made, and imports that they cancelled.
    ///
    /// `cancelled` is the sentence that says who did; it stands from then on, also while what is at Labelbox is followed.
    private static let fourth = """
        CREATE TABLE requests (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            verb TEXT NOT NULL,
            watch TEXT,
            import_id TEXT,
            failed_only INTEGER NOT NULL DEFAULT 0,
            uid INTEGER NOT NULL,
            user TEXT NOT NULL,
            asked_at REAL NOT NULL,
            taken_at REAL NOT NULL,
            state TEXT NOT NULL,
            outcome TEXT NOT NULL DEFAULT '',
            ended_at REAL
        ) STRICT;
        CREATE INDEX requests_open ON requests (number) WHERE state = 'open';

        -- The watch is '' for the whole daemon.
        CREATE TABLE pauses (
            watch TEXT PRIMARY KEY,
            uid INTEGER NOT NULL,
            user TEXT NOT NULL,
            since REAL NOT NULL
        ) STRICT, WITHOUT ROWID;

        ALTER TABLE imports ADD COLUMN cancelled TEXT;
        ALTER TABLE imports ADD COLUMN retry_of TEXT;

        -- Where the media went of imports that did not end well, for when they are taken up again.
        ALTER TABLE media ADD COLUMN left_by TEXT;
        CREATE TABLE put_away (
            import_id TEXT NOT NULL,
            path BLOB NOT NULL,
            destination BLOB NOT NULL,
            PRIMARY KEY (import_id, path)
        ) STRICT, WITHOUT ROWID;

        -- Large contents are found by their size, so that one of a new size can be hashed while it is sent.
        CREATE INDEX contents_large ON contents (bytes) WHERE bytes >= 8388608;
        """

    /// Commits are counted; an import says whether a rebuild took it up again.
    private static let third = """
        INSERT INTO counters VALUES ('commits', 0);
        ALTER TABLE imports ADD COLUMN origin INTEGER NOT NULL DEFAULT 0;
        """

    /// Warnings, uploads by content type, findings, reasons to wait, and ways of handing over.
    ///
    /// Warnings stand beside errors; uploads are told apart by their content type; what was found on the server before a
    /// call is kept for as long as the call may have to be made or judged again; why an import waits is told apart from
    /// why it ended as it did; a submission says by which mutation it is handed over.
    ///
    /// Content that was uploaded earlier has the type '', which stands for any: it is used up within `media_url_age`.
    private static let second = """
        ALTER TABLE imports ADD COLUMN warnings TEXT NOT NULL DEFAULT '[]';
        ALTER TABLE imports ADD COLUMN warnings_total INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE imports ADD COLUMN delay TEXT NOT NULL DEFAULT '';
        ALTER TABLE media ADD COLUMN warning TEXT;
        ALTER TABLE row_tallies ADD COLUMN warnings INTEGER NOT NULL DEFAULT 0;
        CREATE TRIGGER warnings_recounted AFTER UPDATE OF warnings_total ON imports BEGIN
            UPDATE row_tallies SET warnings = warnings + NEW.warnings_total - OLD.warnings_total WHERE watch = NEW.watch;
        END;

        CREATE TABLE typed_contents (
            sha256 BLOB NOT NULL,
            bytes INTEGER NOT NULL,
            type TEXT NOT NULL,
            url TEXT NOT NULL,
            uploaded_at REAL NOT NULL,
            PRIMARY KEY (sha256, bytes, type)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO typed_contents SELECT sha256, bytes, '', url, uploaded_at FROM contents;
        DROP TABLE contents;
        ALTER TABLE typed_contents RENAME TO contents;

        CREATE TABLE findings (
            submission_id TEXT PRIMARY KEY,
            found BLOB NOT NULL
        ) STRICT;

        ALTER TABLE submissions ADD COLUMN submit_with TEXT NOT NULL DEFAULT 'upsertDataRows';
        """

    /// The ledger grows with manifests, media and tasks, never with rows: what belongs to rows lives in files.
    private static let first = """
        CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
        INSERT INTO counters VALUES ('revision', 0);

        CREATE TABLE imports (
            id TEXT PRIMARY KEY,
            revision INTEGER NOT NULL,
            watch TEXT NOT NULL,
            path BLOB NOT NULL,
            claimed_path BLOB NOT NULL,
            bytes INTEGER NOT NULL,
            sha256 TEXT,
            phase TEXT NOT NULL,
            state TEXT NOT NULL,
            reason TEXT NOT NULL DEFAULT '',
            dataset_id TEXT,
            operation TEXT,
            instructions BLOB,
            batch_key TEXT,
            max_rows INTEGER NOT NULL DEFAULT 0,
            linger REAL NOT NULL DEFAULT 0,
            holds INTEGER NOT NULL DEFAULT 0,
            rows_total INTEGER NOT NULL DEFAULT 0,
            rows_rejected INTEGER NOT NULL DEFAULT 0,
            rows_submitted INTEGER NOT NULL DEFAULT 0,
            rows_created INTEGER NOT NULL DEFAULT 0,
            rows_updated INTEGER NOT NULL DEFAULT 0,
            rows_present INTEGER NOT NULL DEFAULT 0,
            rows_failed INTEGER NOT NULL DEFAULT 0,
            rows_deleted INTEGER NOT NULL DEFAULT 0,
            media_files INTEGER NOT NULL DEFAULT 0,
            media_bytes INTEGER NOT NULL DEFAULT 0,
            media_uploaded_files INTEGER NOT NULL DEFAULT 0,
            media_uploaded_bytes INTEGER NOT NULL DEFAULT 0,
            media_open INTEGER NOT NULL DEFAULT 0,
            media_awaited INTEGER NOT NULL DEFAULT 0,
            segments_open INTEGER NOT NULL DEFAULT 0,
            errors TEXT NOT NULL DEFAULT '[]',
            errors_total INTEGER NOT NULL DEFAULT 0,
            results_path BLOB,
            failed_path BLOB,
            destination BLOB,
            attempts INTEGER NOT NULL DEFAULT 0,
            next_attempt REAL,
            seen_at REAL NOT NULL,
            started_at REAL,
            updated_at REAL NOT NULL,
            finished_at REAL,
            lease_owner TEXT,
            lease_fence INTEGER NOT NULL DEFAULT 0,
            lease_until REAL
        ) STRICT;
        CREATE UNIQUE INDEX imports_by_revision ON imports (revision);
        CREATE INDEX imports_by_path ON imports (path, watch);
        CREATE INDEX imports_open ON imports (phase, seen_at) WHERE phase <> 'closed';
        CREATE INDEX imports_unfinished ON imports (watch, seen_at) WHERE phase <> 'closed';
        CREATE INDEX imports_leased ON imports (lease_owner) WHERE lease_owner IS NOT NULL;

        CREATE TABLE segments (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            import_id TEXT NOT NULL REFERENCES imports (id),
            origin INTEGER NOT NULL,
            phase TEXT NOT NULL,
            first_row INTEGER NOT NULL,
            row_count INTEGER NOT NULL,
            send_rows INTEGER NOT NULL,
            byte_offset INTEGER NOT NULL,
            byte_length INTEGER NOT NULL,
            only_rows TEXT,
            media_open INTEGER NOT NULL DEFAULT 0,
            earlier_sends INTEGER NOT NULL DEFAULT 0,
            batch_key TEXT,
            isolation TEXT,
            max_rows INTEGER NOT NULL DEFAULT 0,
            linger REAL NOT NULL DEFAULT 0,
            ready_at REAL,
            submission_id TEXT
        ) STRICT;
        CREATE INDEX segments_by_import ON segments (import_id, first_row);
        CREATE INDEX segments_ready ON segments (batch_key, ready_at) WHERE phase = 'ready';
        CREATE INDEX segments_by_submission ON segments (submission_id, id) WHERE submission_id IS NOT NULL;

        CREATE TABLE media (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            watch TEXT NOT NULL,
            root INTEGER NOT NULL,
            path BLOB NOT NULL,
            device INTEGER, inode INTEGER, size INTEGER, modified INTEGER, changed INTEGER,
            expected_bytes INTEGER,
            expected_sha256 BLOB,
            phase TEXT NOT NULL,
            sha256 BLOB,
            url TEXT,
            uploaded_at REAL,
            failure TEXT,
            attempts INTEGER NOT NULL DEFAULT 0,
            since REAL NOT NULL,
            next_attempt REAL NOT NULL,
            destination BLOB,
            leaves_to TEXT,
            lease_owner TEXT,
            lease_fence INTEGER NOT NULL DEFAULT 0,
            lease_until REAL
        ) STRICT;
        CREATE INDEX media_by_path ON media (watch, root, path);
        CREATE INDEX media_due ON media (phase, next_attempt) WHERE phase IN ('awaited', 'pending', 'leaving');
        CREATE INDEX media_leased ON media (lease_owner) WHERE lease_owner IS NOT NULL;

        CREATE TABLE media_refs (
            segment_id INTEGER NOT NULL,
            name TEXT NOT NULL,
            media_id INTEGER NOT NULL REFERENCES media (id),
            import_id TEXT NOT NULL,
            PRIMARY KEY (segment_id, name)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX media_refs_by_media ON media_refs (media_id, import_id);
        CREATE INDEX media_refs_by_import ON media_refs (import_id);

        CREATE TABLE contents (
            sha256 BLOB NOT NULL,
            bytes INTEGER NOT NULL,
            url TEXT NOT NULL,
            uploaded_at REAL NOT NULL,
            PRIMARY KEY (sha256, bytes)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE submissions (
            id TEXT PRIMARY KEY,
            phase TEXT NOT NULL,
            dataset_id TEXT NOT NULL,
            operation TEXT NOT NULL,
            rows INTEGER NOT NULL,
            isolation TEXT,
            manifest_url TEXT,
            task_id TEXT,
            task_status TEXT,
            completion REAL NOT NULL DEFAULT 0,
            reason TEXT NOT NULL DEFAULT '',
            created_at REAL NOT NULL,
            submitted_at REAL,
            finished_at REAL,
            next_attempt REAL NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            lease_owner TEXT,
            lease_fence INTEGER NOT NULL DEFAULT 0,
            lease_until REAL
        ) STRICT;
        CREATE INDEX submissions_due ON submissions (phase, next_attempt) WHERE phase <> 'settled';
        CREATE INDEX submissions_leased ON submissions (lease_owner) WHERE lease_owner IS NOT NULL;
        CREATE INDEX submissions_by_age ON submissions (created_at);

        CREATE TABLE import_tasks (
            import_id TEXT NOT NULL,
            submission_id TEXT NOT NULL,
            rows INTEGER NOT NULL,
            PRIMARY KEY (import_id, submission_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX import_tasks_by_submission ON import_tasks (submission_id);

        CREATE TABLE results_parts (
            import_id TEXT NOT NULL,
            number INTEGER NOT NULL,
            first_row INTEGER NOT NULL,
            path BLOB,
            lines BLOB,
            PRIMARY KEY (import_id, number)
        ) STRICT, WITHOUT ROWID;

        -- Files that stay where they were dropped and must not be taken for new ones.
        CREATE TABLE kept (
            watch TEXT NOT NULL,
            path BLOB NOT NULL,
            size INTEGER NOT NULL,
            modified INTEGER NOT NULL,
            PRIMARY KEY (watch, path)
        ) STRICT, WITHOUT ROWID;

        -- Counted by triggers, so that the daemon's status never has to read its history.
        CREATE TABLE import_tallies (
            watch TEXT NOT NULL,
            state TEXT NOT NULL,
            imports INTEGER NOT NULL,
            PRIMARY KEY (watch, state)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE row_tallies (
            watch TEXT PRIMARY KEY,
            total INTEGER NOT NULL DEFAULT 0,
            rejected INTEGER NOT NULL DEFAULT 0,
            submitted INTEGER NOT NULL DEFAULT 0,
            created INTEGER NOT NULL DEFAULT 0,
            updated INTEGER NOT NULL DEFAULT 0,
            present INTEGER NOT NULL DEFAULT 0,
            failed INTEGER NOT NULL DEFAULT 0,
            deleted INTEGER NOT NULL DEFAULT 0
        ) STRICT, WITHOUT ROWID;
        CREATE TRIGGER imports_counted AFTER INSERT ON imports BEGIN
            INSERT INTO import_tallies VALUES (NEW.watch, NEW.state, 1)
                ON CONFLICT DO UPDATE SET imports = imports + 1;
            INSERT INTO row_tallies (watch) VALUES (NEW.watch) ON CONFLICT DO NOTHING;
        END;
        CREATE TRIGGER imports_recounted AFTER UPDATE OF state ON imports WHEN OLD.state <> NEW.state BEGIN
            UPDATE import_tallies SET imports = imports - 1 WHERE watch = OLD.watch AND state = OLD.state;
            INSERT INTO import_tallies VALUES (NEW.watch, NEW.state, 1)
                ON CONFLICT DO UPDATE SET imports = imports + 1;
        END;
        CREATE TRIGGER rows_recounted AFTER UPDATE OF
            rows_total, rows_rejected, rows_submitted, rows_created, rows_updated, rows_present, rows_failed, rows_deleted
            ON imports BEGIN
            UPDATE row_tallies SET
                total = total + NEW.rows_total - OLD.rows_total,
                rejected = rejected + NEW.rows_rejected - OLD.rows_rejected,
                submitted = submitted + NEW.rows_submitted - OLD.rows_submitted,
                created = created + NEW.rows_created - OLD.rows_created,
                updated = updated + NEW.rows_updated - OLD.rows_updated,
                present = present + NEW.rows_present - OLD.rows_present,
                failed = failed + NEW.rows_failed - OLD.rows_failed,
                deleted = deleted + NEW.rows_deleted - OLD.rows_deleted
            WHERE watch = NEW.watch;
        END;
        """
}
