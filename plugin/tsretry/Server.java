package tsretry;

import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.pytorch.serve.util.ConfigManager;
import org.pytorch.serve.wlm.Model;
import org.pytorch.serve.wlm.ModelManager;
import org.pytorch.serve.wlm.ModelVersionedRefs;
import org.pytorch.serve.wlm.WorkerState;
import org.pytorch.serve.wlm.WorkerThread;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This TorchServe: what its frontend says of its models, joined with their exit markers.
 *
 * <p>The SDK's Context knows neither versions nor the number of workers that /ping asks for, so the
 * frontend's own classes are asked, those that its built-in /ping asks.
 */
final class Server {
    /** A state directory that takes longer (a network file system that hangs) is done without. */
    private static final long PATIENCE_MS = 200;

    private static final String NOTHING_WRITTEN =
            "no worker of this server has written to the state directory: the package does not run in their Python,"
                    + " or is switched off there; ts-retry doctor says which";
    private static final Logger LOG = LoggerFactory.getLogger(Server.class);
    private static final ExecutorService READER =
            Executors.newSingleThreadExecutor(
                    task -> {
                        Thread thread = new Thread(task, "ts-retry-state-directory");
                        thread.setDaemon(true);
                        return thread;
                    });
    private static final StartupModels STARTUP = new StartupModels();
    private static StateDirectory directory;
    private static Future<List<Marker>> reading;
    private static boolean isStuck;
    /** What keeps the state directory from being known, as logged and shown; empty for nothing. */
    private static volatile String problem = "";
    private static volatile String readProblem = "";

    private Server() {}

    /** One version of a model with its marker, or null in its place, and its state. */
    static final class Entry {
        final SeenModel model;
        final boolean isDefault;
        final Marker marker;
        final String state;
        /** Why it was not registered; null for another state, or where TorchServe's log does not say. */
        final String refusal;

        /** Where no worker has written anything, none that fails is known to be retried. */
        Entry(SeenModel model, boolean isDefault, Marker marker, boolean isWritten) {
            String state = State.of(model, marker);
            boolean isGuessed = state.equals(State.STARTING) || state.equals(State.RECOVERING);
            this.model = model;
            this.isDefault = isDefault;
            this.marker = marker;
            this.state = isGuessed && !isWritten ? State.UNKNOWN : state;
            this.refusal = null;
        }

        /** A model that the server was started with and does not have, or has without workers. */
        Entry(SeenModel model, boolean isDefault, String refusal) {
            this.model = model;
            this.isDefault = isDefault;
            this.marker = null;
            this.state = State.NOT_REGISTERED;
            this.refusal = refusal;
        }
    }

    /** Returns every version of every model, by name; none has a marker where these cannot be read. */
    static List<Entry> models(Properties config) {
        List<Marker> markers = markers(config);
        boolean isRead = markers != null;
        boolean isWritten = isRead && directory.isThere();
        boolean hasRun = false;
        markers = isRead ? markers : new ArrayList<>();
        ModelManager manager = ModelManager.getInstance();
        List<Entry> found = new ArrayList<>();
        Map<String, Set<String>> archives = new HashMap<>();
        Map<String, Set<String>> present = new HashMap<>();
        Map<String, ModelVersionedRefs> models = new TreeMap<>();
        manager.getAllModels().forEach(entry -> models.put(entry.getKey(), entry.getValue()));
        for (ModelVersionedRefs versions : models.values()) {
            Model usual = versions.getDefaultModel();
            for (Map.Entry<String, Model> version : versions.getAllVersions()) {
                Model model = version.getValue();
                SeenModel seen = seen(manager, model);
                Marker marker = markerOf(model, seen, markers);
                String refusal = marker == null ? refusalOf(model, seen) : null;
                boolean isDefault = model == usual;
                found.add(
                        isRead && refusal != null
                                ? new Entry(seen, isDefault, refusal)
                                : new Entry(seen, isDefault, marker, isWritten));
                hasRun |= seen.workers.stream().anyMatch(worker -> worker.isReady || worker.hasFailed);
                String file = Refusals.fileOf(String.valueOf(model.getModelUrl()));
                archives.computeIfAbsent(model.getModelName(), name -> new HashSet<>()).add(file);
                present.computeIfAbsent(model.getModelName(), name -> new HashSet<>()).add(model.getVersion());
            }
        }
        if (isRead) {
            tell(isWritten || !hasRun ? readProblem : NOTHING_WRITTEN);
            STARTUP.see(manager.getStartupModels());
            STARTUP.missing(ConfigManager.getInstance(), present, archives, directory.folders)
                    .forEach(lost -> found.add(missing(lost)));
        }
        return found;
    }

    /** TorchServe registers a model before it installs its requirements, and gives it no workers where these fail. */
    private static String refusalOf(Model model, SeenModel seen) {
        if (!seen.workers.isEmpty()) {
            Refusals.hasWorkers(model);
        }
        return Refusals.cause(model);
    }

    private static Entry missing(Refusals.Lost lost) {
        return new Entry(new SeenModel(lost.name, lost.version, 0, false), lost.isDefault, lost.cause);
    }

    private static SeenModel seen(ModelManager manager, Model model) {
        int wanted = model.getMinWorkers();
        boolean isHealthy = manager.getNumHealthyWorkers(model.getModelVersionName()) >= wanted;
        SeenModel seen = new SeenModel(model.getModelName(), model.getVersion(), wanted, isHealthy);
        for (WorkerThread worker : manager.getWorkers(model.getModelVersionName())) {
            WorkerState state = worker.getState();
            boolean isReady = state == WorkerState.WORKER_MODEL_LOADED;
            boolean hasFailed = state == WorkerState.WORKER_STOPPED || state == WorkerState.WORKER_ERROR;
            seen.workers.add(new SeenModel.Worker(worker.getWorkerId(), worker.getPid(), isReady, hasFailed));
        }
        return seen;
    }

    /** Returns the marker of this registration of a model: an older one has another path. */
    private static Marker markerOf(Model model, SeenModel seen, List<Marker> markers) {
        File folder = model.getModelDir();
        if (markers.isEmpty() || folder == null) {
            return null;
        }
        String linked = folder.getAbsoluteFile().getParent();
        for (Marker marker : markers) {
            String[] registration = marker.registration().split("#", 2);
            String path = registration[0];
            if (!path.equals(folder.getAbsolutePath()) && !path.equals(linked) && !path.equals(real(folder))) {
                continue;
            }
            // The functions of a workflow share a folder; each is named by where its worker listens.
            if (registration.length == 1 || seen.workers.stream().anyMatch(w -> w.listensAt(registration[1]))) {
                return marker;
            }
        }
        return null;
    }

    private static String real(File folder) {
        try {
            return folder.getCanonicalPath();
        } catch (IOException error) {
            return null;
        }
    }

    /** Reads the markers in a thread of its own: the caller never waits for a disk for long. Null for not read. */
    private static synchronized List<Marker> markers(Properties config) {
        try {
            if (directory == null) {
                directory = new StateDirectory(config, System.getenv());
            }
            if (!directory.isEnabled()) {
                tell("switched off by TS_RETRY_ENABLED or retry_enabled");
                return null;
            }
            if (reading == null) {
                reading = READER.submit(Server::read);
            }
            Future<List<Marker>> asked = reading;
            List<Marker> markers = asked.get(isStuck ? 0 : PATIENCE_MS, TimeUnit.MILLISECONDS);
            reading = null;
            isStuck = false;
            return markers;
        } catch (TimeoutException slow) {
            isStuck = true; // One probe has waited; the next ones need not, until it answers.
            tell("the state directory does not answer");
        } catch (ExecutionException error) {
            reading = null;
            isStuck = false;
            tell(String.valueOf(error.getCause()));
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
        return null;
    }

    private static List<Marker> read() throws IOException {
        List<String> problems = new ArrayList<>();
        List<Marker> markers = directory.markers(problems);
        readProblem = problems.isEmpty() ? "" : problems.get(0);
        return markers;
    }

    /** Tells whether the package is switched on for this server. */
    static boolean isEnabled() {
        return directory == null || directory.isEnabled();
    }

    /** Returns what keeps the state directory from being known, or null. */
    static String problem() {
        return problem.isEmpty() ? null : problem;
    }

    /** Logs a problem once, not with every probe. */
    private static void tell(String found) {
        if (!found.isEmpty() && !found.equals(problem)) {
            LOG.warn("ts-retry: {}; what it would say does not count for /ping", found);
        }
        problem = found;
    }
}
