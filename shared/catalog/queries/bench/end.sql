-- Only what says which estate this is stays.
drop table perigee_bench.lives, perigee_bench.seeds, perigee_bench.kinds, perigee_bench.indexes;
drop function perigee_bench.strip, perigee_bench.dress, perigee_bench.draw, perigee_bench.at, perigee_bench.hash,
              perigee_bench.tags, perigee_bench.words;
