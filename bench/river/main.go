// River in the benches: the same protocol as ../serve.ts, one JSON object a line. The settings called "best" are those of
// its own `river bench`, which is not published as a module: 2,000 workers, a fetch every 2 ms, a poll every 20 ms.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
	"golang.org/x/sys/unix"
)

const (
	firstProbe  = 1_000_000_000
	insertBatch = 5_000
	loadStep    = 10 * time.Millisecond
)

// CountArgs is the job of the benches.
type CountArgs struct {
	ID int64 `json:"id"`
}

// Kind names it.
func (CountArgs) Kind() string { return "count" }

// counter is ../run-counter.ts.
type counter struct {
	river.WorkerDefaults[CountArgs]
	mutex   sync.Mutex
	changed *sync.Cond
	runs    int64
	sum     int64
	probes  map[int64]float64
}

// Work runs a job.
func (c *counter) Work(_ context.Context, job *river.Job[CountArgs]) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if job.Args.ID >= firstProbe {
		c.probes[job.Args.ID] = monotonicMs()
		c.changed.Broadcast()
		return nil
	}
	c.runs++
	c.sum += job.Args.ID
	return nil
}

func (c *counter) awaitProbe(id int64) float64 {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for {
		if at, started := c.probes[id]; started {
			return at
		}
		c.changed.Wait()
	}
}

func monotonicMs() float64 {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		panic(err)
	}
	return float64(now.Nano()) / 1e6
}

// argument holds the arguments of every command.
type argument struct {
	From      int64   `json:"from"`
	Count     int64   `json:"count"`
	ID        int64   `json:"id"`
	Rows      int64   `json:"rows"`
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"perSecond"`
	Settings  string  `json:"settings"`
	Listen    *bool   `json:"listen"`
}

type bench struct {
	pool    *pgxpool.Pool
	client  *river.Client[pgx.Tx]
	counter *counter
	stop    chan struct{}
	loaded  chan int64
}

func config(settings string, listen bool, workers *river.Workers) *river.Config {
	made := &river.Config{
		Logger:   slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		PollOnly: !listen,
		Queues:   map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 100}}, // as in its guide
		Workers:  workers,
	}
	if settings == "best" {
		made.FetchCooldown = 2 * time.Millisecond
		made.FetchPollInterval = 20 * time.Millisecond
		made.Queues[river.QueueDefault] = river.QueueConfig{MaxWorkers: 2_000}
	}
	return made
}

func (b *bench) insert(ctx context.Context, from, count int64) error {
	for at := int64(0); at < count; at += insertBatch {
		if _, err := b.client.InsertManyFast(ctx, rows(from+at, min(insertBatch, count-at))); err != nil {
			return err
		}
	}
	return nil
}

func rows(from, count int64) []river.InsertManyParams {
	made := make([]river.InsertManyParams, count)
	for index := range made {
		made[index].Args = CountArgs{ID: from + int64(index)}
	}
	return made
}

func (b *bench) transaction(ctx context.Context, count int64) error {
	return pgx.BeginFunc(ctx, b.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "insert into orders default values"); err != nil {
			return err
		}
		if count == 1 {
			_, err := b.client.InsertTx(ctx, tx, CountArgs{ID: 1}, nil)
			return err
		}
		_, err := b.client.InsertManyFastTx(ctx, tx, rows(1, count))
		return err
	})
}

func (b *bench) answer(ctx context.Context, command string, with argument) (any, error) {
	listen := with.Listen == nil || *with.Listen
	switch command {
	case "install":
		migrator, err := rivermigrate.New(riverpgxv5.New(b.pool), nil)
		if err != nil {
			return nil, err
		}
		if _, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
			return nil, err
		}
		if _, err = b.pool.Exec(ctx, "create table if not exists orders (id bigint generated always as identity primary key, placed_at timestamptz not null default now())"); err != nil {
			return nil, err
		}
		b.client, err = river.NewClient(riverpgxv5.New(b.pool), &river.Config{})
		return nil, err
	case "insert":
		return nil, b.insert(ctx, with.From, with.Count)
	case "start":
		workers := river.NewWorkers()
		river.AddWorker(workers, b.counter)
		client, err := river.NewClient(riverpgxv5.New(b.pool), config(with.Settings, listen, workers))
		b.client = client
		return nil, err
	case "go":
		return nil, b.client.Start(ctx)
	case "unfinished":
		var left int64
		err := b.pool.QueryRow(ctx, "select count(*) from river_job where state <> 'completed'").Scan(&left)
		return left, err
	case "finished":
		var kept, distinct int64
		var last float64
		err := b.pool.QueryRow(ctx, `select count(*), count(distinct id),
			coalesce(extract(epoch from max(pg_xact_commit_timestamp(xmin)))::float8 * 1000, 0) from river_job where state = 'completed'`).Scan(&kept, &distinct, &last)
		return map[string]any{"kept": kept, "distinct": distinct, "lastCommitMs": last}, err
	case "enqueue":
		calledMs := monotonicMs()
		_, err := b.client.Insert(ctx, CountArgs{ID: with.ID}, nil)
		return calledMs, err
	case "load":
		b.stop, b.loaded = make(chan struct{}), make(chan int64, 1)
		go b.load(ctx, with)
		return nil, nil
	case "stopLoad":
		close(b.stop)
		return <-b.loaded, nil
	case "transactions":
		if err := b.transaction(ctx, with.Rows); err != nil {
			return nil, err
		}
		began, count := time.Now(), 0
		for time.Since(began).Seconds() < with.Seconds || count == 0 {
			if err := b.transaction(ctx, with.Rows); err != nil {
				return nil, err
			}
			count++
		}
		return map[string]any{"transactions": count, "seconds": time.Since(began).Seconds()}, nil
	case "runs":
		b.counter.mutex.Lock()
		defer b.counter.mutex.Unlock()
		return map[string]any{"runs": b.counter.runs, "sum": b.counter.sum}, nil
	case "probe":
		return b.counter.awaitProbe(with.ID), nil
	case "probes":
		b.counter.mutex.Lock()
		defer b.counter.mutex.Unlock()
		started := [][2]float64{}
		for id, at := range b.counter.probes {
			started = append(started, [2]float64{float64(id), at})
		}
		return started, nil
	}
	return nil, fmt.Errorf("unknown command %s", command)
}

func (b *bench) load(ctx context.Context, with argument) {
	began, sent := time.Now(), int64(0)
	for {
		select {
		case <-b.stop:
			b.loaded <- sent
			return
		case <-time.After(loadStep):
		}
		if due := int64(time.Since(began).Seconds()*with.PerSecond) - sent; due > 0 {
			if err := b.insert(ctx, with.From+sent, due); err != nil {
				panic(err)
			}
			sent += due
		}
	}
}

func main() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		panic(err)
	}
	b := &bench{pool: pool, counter: &counter{probes: map[int64]float64{}}}
	b.counter.changed = sync.NewCond(&b.counter.mutex)
	var output sync.Mutex
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var asked struct {
			ID       int      `json:"id"`
			Command  string   `json:"command"`
			Argument argument `json:"argument"`
		}
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		go func() {
			value, err := b.answer(ctx, asked.Command, asked.Argument)
			reply := struct {
				Answers int    `json:"answers"`
				Value   any    `json:"value"`
				Error   string `json:"error,omitempty"`
			}{Answers: asked.ID, Value: value}
			if err != nil {
				reply.Error = err.Error()
			}
			text, err := json.Marshal(reply)
			if err != nil {
				panic(err)
			}
			output.Lock()
			defer output.Unlock()
			fmt.Println(string(text))
		}()
	}
}
