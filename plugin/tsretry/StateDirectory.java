package tsretry;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;

/**
 * The exit markers of this server's run, found where its workers write them.
 *
 * <p>The places are those of ts_retry_ext/frontend/server_configuration.py and store/directory.py: the
 * configured one, {@code ts_retry} in the log directory, a private one in the temporary directory.
 * Used by one thread.
 */
final class StateDirectory {
    /** As ts_retry_ext/store/atomic.py: no file of ours is larger. */
    private static final long MAX_FILE_BYTES = 256 * 1024;

    private final Properties config;
    private final Map<String, String> environ;
    private final Map<Path, Read> read = new HashMap<>();
    private volatile Path found;
    /** Names of the folders of this run's registrations when it was last read: a model's name, and a number. */
    volatile Set<String> folders = new HashSet<>();

    StateDirectory(Properties config, Map<String, String> environ) {
        this.config = config;
        this.environ = environ;
    }

    /** A marker as it was read, and what its files looked like then. */
    private static final class Read {
        final String stamp;
        final Marker marker;

        Read(String stamp, Marker marker) {
            this.stamp = stamp;
            this.marker = marker;
        }
    }

    /** Tells whether the package is switched on for this server. */
    boolean isEnabled() {
        for (String raw : sources("TS_RETRY_ENABLED", "retry_enabled")) {
            String text = raw.trim().toLowerCase();
            if (text.equals("true") || text.equals("false")) {
                return text.equals("true");
            }
        }
        return true;
    }

    /** Tells whether a worker of this run had written anything when it was last read. */
    boolean isThere() {
        return found != null;
    }

    /**
     * Returns the exit markers of this run, in no order; none where no worker has written anything.
     *
     * @param problems takes a sentence for each file that is there and cannot be used
     * @throws IOException the directory of this run is there and cannot be read
     */
    List<Marker> markers(List<String> problems) throws IOException {
        List<Marker> markers = new ArrayList<>();
        Path run = runDirectory();
        if (run == null) {
            return markers;
        }
        Set<Path> seen = new HashSet<>();
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(run)) {
            for (Path folder : folders) {
                seen.add(folder);
                try {
                    Marker marker = marker(folder);
                    if (marker != null) {
                        markers.add(marker);
                    }
                } catch (NoSuchFileException | NotDirectoryException error) {
                    read.remove(folder); // It was removed just now, or is no folder of a model.
                } catch (IOException | RuntimeException error) {
                    read.remove(folder);
                    problems.add(folder.resolve("marker.json") + " cannot be used: " + error);
                }
            }
        }
        read.keySet().retainAll(seen);
        Set<String> names = new HashSet<>();
        seen.forEach(folder -> names.add(folder.getFileName().toString()));
        folders = names;
        return markers;
    }

    private Marker marker(Path folder) throws IOException {
        Path file = folder.resolve("marker.json");
        if (!Files.exists(file)) {
            read.remove(folder);
            return null;
        }
        Path journal = folder.resolve("journal.jsonl");
        Read before = read.get(folder);
        boolean rejects = before != null && before.marker.action().equals("reject");
        String stamp = stamp(file) + (rejects ? stamp(journal) : "");
        if (before != null && before.stamp.equals(stamp)) {
            return before.marker;
        }
        JsonObject json = JsonParser.parseString(text(file)).getAsJsonObject();
        boolean needsHolders = json.get("action").getAsString().equals("reject");
        String journalStamp = needsHolders ? stamp(journal) : "";
        Marker marker = new Marker(json, needsHolders ? holders(text(journal)) : new HashSet<>());
        if (marker.serverPid() != pid()) {
            return null;
        }
        read.put(folder, new Read(stamp(file) + journalStamp, marker));
        return marker;
    }

    /** Returns the processes that took a worker's place; see ts_retry_ext/store/worker_states.py. */
    private static Set<Integer> holders(String journal) {
        Set<Integer> pids = new HashSet<>();
        for (String line : journal.split("\n")) {
            try {
                JsonElement record = JsonParser.parseString(line);
                if (record.isJsonObject() && record.getAsJsonObject().has("pid")) {
                    String event = record.getAsJsonObject().get("event").getAsString();
                    if (event.equals("hold") || event.equals("trial") || event.equals("tried")) {
                        pids.add(record.getAsJsonObject().get("pid").getAsInt());
                    }
                }
            } catch (RuntimeException torn) {
                continue; // A line that its writer did not finish.
            }
        }
        return pids;
    }

    private static String stamp(Path file) throws IOException {
        Map<String, Object> at = Files.readAttributes(file, "unix:ino,size,lastModifiedTime");
        return at.toString();
    }

    private static String text(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException("no file"); // Reading a pipe would wait for ever.
        }
        if (Files.size(file) > MAX_FILE_BYTES) {
            throw new IOException("larger than " + MAX_FILE_BYTES + " bytes");
        }
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    }

    /** Returns the directory of this run, or null where no worker has made one. */
    private Path runDirectory() throws IOException {
        if (found == null || !Files.isDirectory(found)) {
            String name = "server-" + pid() + "-" + start();
            found = null;
            for (Path place : places()) {
                Path run = place.resolve(name);
                if (Files.isDirectory(run) && uid(run) == uid(Paths.get("/proc/self"))) {
                    found = run;
                    break;
                }
            }
        }
        return found;
    }

    private List<Path> places() throws IOException {
        Path cwd = Paths.get("").toAbsolutePath();
        List<Path> places = new ArrayList<>();
        for (String raw : sources("TS_RETRY_STATE_DIR", "retry_state_dir")) {
            if (!raw.trim().isEmpty()) {
                places.add(cwd.resolve(raw.trim()));
                break;
            }
        }
        String logs = environ.getOrDefault("LOG_LOCATION", System.getProperty("LOG_LOCATION", "logs"));
        places.add(cwd.resolve(logs).resolve("ts_retry"));
        String temporary = "/tmp";
        for (String name : new String[] {"TMP", "TEMP", "TMPDIR"}) {
            String named = environ.getOrDefault(name, "");
            temporary = named.isEmpty() ? temporary : named;
        }
        places.add(cwd.resolve(temporary).resolve("ts_retry-" + uid(Paths.get("/proc/self"))));
        return places;
    }

    /** Returns what is given for a setting, the first source that counts first. */
    private List<String> sources(String variable, String key) {
        List<String> found = new ArrayList<>();
        if (environ.get(variable) != null) {
            found.add(environ.get(variable));
        }
        if (config != null && config.getProperty(key) != null) {
            found.add(config.getProperty(key));
        }
        return found;
    }

    private static int uid(Path path) throws IOException {
        return (Integer) Files.getAttribute(path, "unix:uid");
    }

    private static long pid() {
        return ProcessHandle.current().pid();
    }

    /** Returns what names this start for good: ts_retry_ext/frontend/process.py, {@code start_of}. */
    private static String start() throws IOException {
        String stat = text(Paths.get("/proc/self/stat"));
        String[] fields = stat.substring(stat.lastIndexOf(')') + 1).trim().split("\\s+");
        String boot = text(Paths.get("/proc/sys/kernel/random/boot_id")).substring(0, 8);
        return boot + "-" + Long.toHexString(Long.parseLong(fields[19]));
    }
}
