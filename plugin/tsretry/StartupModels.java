package tsretry;

import java.util.ArrayList;
import java.util.ConcurrentModificationException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.pytorch.serve.util.ConfigManager;

/**
 * Which models of {@code load_models} or of a snapshot were never registered; see
 * ts_retry_ext/snapshot/not_registered.py.
 *
 * <p>One that somebody has unregistered since is not missed: a probe saw it, or its workers wrote something.
 * With {@code all}, those that TorchServe refused are missed.
 */
final class StartupModels {
    private static final String NUMBER = "-[0-9a-f]{8}$";
    private final Set<String> seen = new HashSet<>();
    private final Set<String> everPresent = new HashSet<>();

    /** Takes what the frontend has registered at its start and still has. */
    synchronized void see(Set<String> registered) {
        try {
            seen.addAll(registered);
        } catch (ConcurrentModificationException changing) {
            return; // The next probe sees it.
        }
    }

    /**
     * Returns those that are missing.
     *
     * @param present models that the frontend has, by name, each with its versions
     * @param archives file names of the archives that these came from, by the model's name
     * @param folders names of the folders that workers of this run made
     */
    synchronized List<Refusals.Lost> missing(
            ConfigManager config,
            Map<String, Set<String>> present,
            Map<String, Set<String>> archives,
            Set<String> folders) {
        everPresent.addAll(Refusals.names());
        for (Map.Entry<String, Set<String>> model : present.entrySet()) {
            everPresent.add(model.getKey());
            model.getValue().forEach(version -> everPresent.add(model.getKey() + "\n" + version));
        }
        if (config.getModelSnapshot() != null) {
            return ofSnapshot(folders);
        }
        List<Refusals.Lost> missing = new ArrayList<>();
        List<Refusals.Lost> unnamed = new ArrayList<>();
        Set<String> unexplained = unexplained(present.keySet(), folders);
        Set<String> files = new HashSet<>();
        entries(config).forEach(entry -> files.add(Refusals.fileOf(urlOf(entry))));
        Set<String> names = new HashSet<>();
        for (String entry : entries(config)) {
            String[] pair = entry.split("=", 2);
            String url = urlOf(entry);
            String name = pair.length == 2 ? pair[0].trim() : nameOf(url);
            String file = Refusals.fileOf(url);
            boolean isFirst = names.add(name);
            if (pair.length == 2 && Refusals.cause(url) != null && (present.containsKey(name) || !isFirst)) {
                // The name is also that of a model from another of these archives: this was to be a version of it.
                Set<String> from = archives.getOrDefault(name, Set.of());
                if (!from.contains(file) && files.containsAll(from) && !hasChanged(name, present)) {
                    missing.add(new Refusals.Lost(name, file, false, false, Refusals.cause(url)));
                }
                continue;
            }
            boolean isKnown = unexplained.remove(safe(name)) || everPresent.contains(name) || hasWritten(name, folders);
            String cause = Refusals.cause(url);
            if (name.isEmpty() || isKnown || (cause == null && Refusals.isListening())) {
                continue; // Where a refusal would be known, one that is not there was unregistered.
            }
            if (name.contains("://")) {
                cause = "TorchServe takes what is before the first = for the name: write NAME=URL";
            }
            Refusals.Lost lost = new Refusals.Lost(Refusals.shown(name), "1.0", true, true, cause);
            if (pair.length == 2) {
                missing.add(lost);
            } else if (archives.values().stream().noneMatch(from -> from.contains(file))) {
                (cause == null ? unnamed : missing).add(lost);
            }
        }
        if (unexplained.isEmpty()) { // Else a manifest gave one of them another name.
            missing.addAll(unnamed);
        }
        return missing;
    }

    /** Tells whether a probe has seen a version of a model that is gone: somebody has seen to the model since. */
    private boolean hasChanged(String name, Map<String, Set<String>> present) {
        Set<String> now = present.getOrDefault(name, Set.of());
        return everPresent.stream()
                .anyMatch(seen -> seen.startsWith(name + "\n") && !now.contains(seen.substring(name.length() + 1)));
    }

    private static String urlOf(String entry) {
        return entry.substring(entry.indexOf('=') + 1).trim();
    }

    private List<Refusals.Lost> ofSnapshot(Set<String> folders) {
        List<Refusals.Lost> missing = new ArrayList<>();
        for (Refusals.Lost lost : Refusals.lost()) {
            boolean wasThere =
                    lost.isOnly
                            ? everPresent.contains(lost.name) || hasWritten(lost.name, folders)
                            : everPresent.contains(lost.name + "\n" + lost.version);
            if (!wasThere) {
                missing.add(lost);
            }
        }
        return missing;
    }

    /** Returns what the server was started with: archives, or {@code name=archive}. */
    private static List<String> entries(ConfigManager config) {
        String named = config.getLoadModels() == null ? "" : config.getLoadModels();
        return named.equalsIgnoreCase("all") ? List.copyOf(Refusals.archives()) : List.of(named.split(","));
    }

    /** Returns the names of models that were registered, and may be those of archives without one. */
    private Set<String> unexplained(Set<String> present, Set<String> folders) {
        Set<String> unexplained = new HashSet<>();
        seen.forEach(name -> unexplained.add(safe(name)));
        folders.stream()
                .filter(folder -> folder.matches(".*" + NUMBER)) // Others are files.
                .forEach(folder -> unexplained.add(folder.replaceFirst(NUMBER, "")));
        present.forEach(name -> unexplained.remove(safe(name)));
        return unexplained;
    }

    /** As 0.12.0 ModelServer.getDefaultModelName. */
    private static String nameOf(String url) {
        String file = url.substring(url.lastIndexOf('/') + 1);
        boolean isArchive = url.contains(".model") || url.contains(".mar");
        return (isArchive && file.contains(".") ? file.substring(0, file.lastIndexOf('.')) : file)
                .replaceAll("(\\W|^_)", "_");
    }

    /** As ts_retry_ext/store/directory.py, model_directory: the name, made safe, and a number. */
    private static boolean hasWritten(String name, Set<String> folders) {
        return folders.stream().anyMatch(folder -> folder.replaceFirst(NUMBER, "").equals(safe(name)));
    }

    private static String safe(String name) {
        String safe = name.replaceAll("[^A-Za-z0-9._-]", "_");
        return safe.substring(0, Math.min(60, safe.length())).replaceAll("^\\.+", "");
    }
}
